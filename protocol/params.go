package protocol

import "bytes"

// checkParams follows a piece of PARAMS: its pairs must be whole at the end,
// free of NUL, and within the limits. An announced length counts at once, so
// nobody waits for two gigabytes in order to refuse them.
func (q *request) checkParams(piece []byte, config *Config) error {
	if len(piece) == 0 {
		if !q.pairs.between() {
			return connError(TypeParams, q.id, "3.4", ErrTruncatedPair)
		}
		return nil
	}
	q.paramLen += len(piece)
	b := piece
	if q.paramLen <= limitOf(config.MaxParams, DefaultMaxParams) {
		b = q.pairs.skipWhole(b, limitOf(config.MaxPairs, DefaultMaxPairs))
	}
	for {
		tok, text, rest := q.pairs.next(b)
		switch tok {
		case tokenMore:
			if q.paramLen > limitOf(config.MaxParams, DefaultMaxParams) {
				// By the lengths of a pair alone: the rest of it was counted
				// when they were complete.
				return q.giveUp("", ErrParamsTooLarge)
			}
			return nil
		case tokenLengths:
			if err := q.checkLengths(len(rest), config); err != nil {
				return err
			}
		default:
			if bytes.IndexByte(text, 0) >= 0 {
				// The values end up in environments and C strings, where what
				// follows the NUL would be cut off and not looked at (§6.1).
				return q.giveUp("6.1", ErrNUL)
			}
		}
		b = rest
	}
}

// checkLengths counts a pair whose lengths have just been read, with unread
// bytes of the piece to follow. Its order is that of the bytes at fault, so that
// the cause does not depend on how they are cut into chunks.
func (q *request) checkLengths(unread int, config *Config) error {
	already := uint64(q.paramLen - unread)
	limit := uint64(limitOf(config.MaxParams, DefaultMaxParams))
	switch {
	case already+uint64(q.pairs.name)+uint64(q.pairs.value) > limit:
		return q.giveUp("", ErrParamsTooLarge)
	case int(q.pairs.pairs) > limitOf(config.MaxPairs, DefaultMaxPairs):
		return q.giveUp("", ErrTooManyPairs)
	}
	return nil
}

// giveUp ignores the further input of a request that passed a limit.
func (q *request) giveUp(section string, cause error) error {
	q.in = phaseAborted
	return requestError(TypeParams, q.id, section, cause)
}
