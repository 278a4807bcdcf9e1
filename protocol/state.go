package protocol

// A request lives in two directions at once. What the web server sends walks
// through requestTable, what the application sends through responseTable. Both
// ends use both tables: the one that sends is told when it makes a mistake, the
// one that receives follows the verdict. A step that a table does not list is
// ignored when received and refused when sent; the specification leaves these
// cases open, and ignoring them keeps one confused request from hurting its
// siblings on the connection.

// A signal is a record as the tables see it. Signals come in pairs: a record
// with content, then the empty one that ends its stream.
type signal uint8

const (
	sigBegin signal = iota
	sigParams
	sigParamsEnd
	sigStdin
	sigStdinEnd
	sigData
	sigDataEnd
	sigAbort
	requestSignals // how many there are
)

const (
	sigStdout signal = iota
	sigStdoutEnd
	sigStderr
	sigStderrEnd
	sigEnd
	responseSignals
)

// A requestPhase is how far the web server is with sending a request.
type requestPhase uint8

const (
	phaseInactive requestPhase = iota // no BEGIN_REQUEST yet, or after END_REQUEST
	phaseResponderParams
	phaseAuthorizerParams
	phaseFilterParams
	phaseResponderStdin
	phaseFilterStdin
	phaseFilterData
	phaseAuthorizerComplete
	phaseComplete
	phaseAborted // ABORT_REQUEST came, or the request was given up; END_REQUEST is still due
	requestPhases
)

// A responsePhase is how far the application is with answering it.
type responsePhase uint8

const (
	phaseOpen responsePhase = iota
	phaseStdoutEnded
	phaseStderrEnded
	phaseBothEnded
	phaseEnded
	responsePhases
)

// A verdict says what to do with a record.
type verdict uint8

const (
	ignore verdict = iota // drop it: no event, no reply, no allocation
	accept                // take the step
	reject                // the connection cannot be trusted any longer
)

type requestStep struct {
	next requestPhase
	do   verdict
}

type responseStep struct {
	next responsePhase
	do   verdict
}

// afterBegin is where BEGIN_REQUEST leads to.
var afterBegin = [...]requestPhase{
	RoleResponder:  phaseResponderParams,
	RoleAuthorizer: phaseAuthorizerParams,
	RoleFilter:     phaseFilterParams,
}

// requestTable holds the steps of the web server's direction (§5.1 to §5.4,
// §6.2 to §6.4, §3.3 for the ends of streams).
//
//   - BEGIN_REQUEST for an id that is active is rejected: the two ends disagree
//     about which requests exist, so answers could reach the wrong client.
//   - Records before BEGIN_REQUEST or after END_REQUEST have no row and are
//     ignored: after END_REQUEST the web server may still be sending.
//   - STDIN before the end of PARAMS, and anything after the end of its own
//     stream, is ignored; so is everything after ABORT_REQUEST.
//   - An authorizer gets no STDIN (§6.3). Apache's sends no record of it,
//     lighttpd's sends the empty one: both are fine, and content is ignored.
//   - DATA belongs to filters and comes after STDIN (§6.4).
var requestTable = [requestPhases][requestSignals]requestStep{
	phaseResponderParams: {
		sigBegin:     {phaseResponderParams, reject},
		sigParams:    {phaseResponderParams, accept},
		sigParamsEnd: {phaseResponderStdin, accept},
		sigAbort:     {phaseAborted, accept},
	},
	phaseAuthorizerParams: {
		sigBegin:     {phaseAuthorizerParams, reject},
		sigParams:    {phaseAuthorizerParams, accept},
		sigParamsEnd: {phaseAuthorizerComplete, accept},
		sigAbort:     {phaseAborted, accept},
	},
	phaseFilterParams: {
		sigBegin:     {phaseFilterParams, reject},
		sigParams:    {phaseFilterParams, accept},
		sigParamsEnd: {phaseFilterStdin, accept},
		sigAbort:     {phaseAborted, accept},
	},
	phaseResponderStdin: {
		sigBegin:    {phaseResponderStdin, reject},
		sigStdin:    {phaseResponderStdin, accept},
		sigStdinEnd: {phaseComplete, accept},
		sigAbort:    {phaseAborted, accept},
	},
	phaseFilterStdin: {
		sigBegin:    {phaseFilterStdin, reject},
		sigStdin:    {phaseFilterStdin, accept},
		sigStdinEnd: {phaseFilterData, accept},
		sigAbort:    {phaseAborted, accept},
	},
	phaseFilterData: {
		sigBegin:   {phaseFilterData, reject},
		sigData:    {phaseFilterData, accept},
		sigDataEnd: {phaseComplete, accept},
		sigAbort:   {phaseAborted, accept},
	},
	phaseAuthorizerComplete: {
		sigBegin:    {phaseAuthorizerComplete, reject},
		sigStdinEnd: {phaseComplete, accept},
		sigAbort:    {phaseAborted, accept},
	},
	phaseComplete: {
		sigBegin: {phaseComplete, reject},
		sigAbort: {phaseAborted, accept},
	},
	phaseAborted: {
		sigBegin: {phaseAborted, reject},
	},
}

// responseTable holds the steps of the application's direction (§3.3, §5.5).
// STDOUT and STDERR may interleave in any way. END_REQUEST is taken at any
// time, since PHP and others leave the empty records out.
var responseTable = [responsePhases][responseSignals]responseStep{
	phaseOpen: {
		sigStdout:    {phaseOpen, accept},
		sigStdoutEnd: {phaseStdoutEnded, accept},
		sigStderr:    {phaseOpen, accept},
		sigStderrEnd: {phaseStderrEnded, accept},
		sigEnd:       {phaseEnded, accept},
	},
	phaseStdoutEnded: {
		sigStderr:    {phaseStdoutEnded, accept},
		sigStderrEnd: {phaseBothEnded, accept},
		sigEnd:       {phaseEnded, accept},
	},
	phaseStderrEnded: {
		sigStdout:    {phaseStderrEnded, accept},
		sigStdoutEnd: {phaseBothEnded, accept},
		sigEnd:       {phaseEnded, accept},
	},
	phaseBothEnded: {
		sigEnd: {phaseEnded, accept},
	},
}

// requestSignal returns the signal of a stream record that a web server sends.
func requestSignal(t RecordType, empty bool) (signal, bool) {
	var s signal
	switch t {
	case TypeParams:
		s = sigParams
	case TypeStdin:
		s = sigStdin
	case TypeData:
		s = sigData
	default:
		return 0, false
	}
	if empty {
		s++
	}
	return s, true
}

// responseSignal returns the signal of a stream record that an application
// sends.
func responseSignal(t RecordType, empty bool) (signal, bool) {
	var s signal
	switch t {
	case TypeStdout:
		s = sigStdout
	case TypeStderr:
		s = sigStderr
	default:
		return 0, false
	}
	if empty {
		s++
	}
	return s, true
}

// inputComplete reports whether the web server has nothing left to send for a
// request in phase p.
func (p requestPhase) inputComplete() bool {
	return p == phaseComplete || p == phaseAuthorizerComplete
}

// beforeStart reports whether a request in phase p has not begun to run: its
// parameters are incomplete.
func (p requestPhase) beforeStart() bool {
	return p == phaseResponderParams || p == phaseAuthorizerParams || p == phaseFilterParams
}
