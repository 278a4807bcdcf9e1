package protocol_test

import (
	"encoding/binary"
	"flag"
	"math/rand/v2"
	"testing"

	"github.com/simple-fastcgi/fastcgi/protocol"
)

// A record is one record of a test's wire. Tests encode it here, by hand, so that the package's encoder and decoder
// are held against a third opinion and not against each other.
type record struct {
	t       protocol.RecordType
	id      uint16
	content string
}

func begin(id uint16, role protocol.Role, flags uint8) record {
	return record{protocol.TypeBeginRequest, id, string([]byte{byte(role >> 8), byte(role), flags, 0, 0, 0, 0, 0})}
}

func end(id uint16, app uint32, status protocol.Status) record {
	content := binary.BigEndian.AppendUint32(nil, app)
	return record{protocol.TypeEndRequest, id, string(append(content, byte(status), 0, 0, 0))}
}

func abort(id uint16) record            { return record{protocol.TypeAbortRequest, id, ""} }
func params(id uint16, s string) record { return record{protocol.TypeParams, id, s} }
func stdin(id uint16, s string) record  { return record{protocol.TypeStdin, id, s} }
func data(id uint16, s string) record   { return record{protocol.TypeData, id, s} }
func stdout(id uint16, s string) record { return record{protocol.TypeStdout, id, s} }
func stderr(id uint16, s string) record { return record{protocol.TypeStderr, id, s} }

func getValues(pairs string) record       { return record{protocol.TypeGetValues, 0, pairs} }
func getValuesResult(pairs string) record { return record{protocol.TypeGetValuesResult, 0, pairs} }

func unknownType(t protocol.RecordType) record {
	return record{protocol.TypeUnknownType, 0, string([]byte{byte(t), 0, 0, 0, 0, 0, 0, 0})}
}

// nv is a name-value pair in its usual form.
func nv(name, value string) string {
	return nvLen(len(name)) + nvLen(len(value)) + name + value
}

func nvLen(n int) string {
	if n < 128 {
		return string([]byte{byte(n)})
	}
	return long(n)
}

// long is a length in the form of four bytes, whether it needs them or not.
func long(n int) string {
	return string(binary.BigEndian.AppendUint32(nil, uint32(n)|0x80000000))
}

// wire encodes records as this package does: without padding, reserved bytes zero.
func wire(records ...record) []byte {
	var out []byte
	for _, r := range records {
		out = r.append(out, "", 0)
	}
	return out
}

// padded encodes records as a peer may: with padding, and whatever in it and in the reserved bytes.
func padded(rng *rand.Rand, records ...record) []byte {
	var out []byte
	for _, r := range records {
		out = r.append(out, noise(rng, rng.IntN(protocol.MaxPaddingLen+1)), byte(rng.Uint32()))
	}
	return out
}

func (r record) append(out []byte, padding string, reserved byte) []byte {
	out = append(out, 1, byte(r.t))
	out = binary.BigEndian.AppendUint16(out, r.id)
	out = binary.BigEndian.AppendUint16(out, uint16(len(r.content)))
	out = append(out, byte(len(padding)), reserved)
	out = append(out, r.content...)
	return append(out, padding...)
}

// noise is n random bytes. A record's header hides in it now and then.
func noise(rng *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	if n >= protocol.HeaderLen && rng.IntN(2) == 0 {
		copy(b[rng.IntN(n-protocol.HeaderLen+1):], wire(end(1, 0, 0))[:protocol.HeaderLen])
	}
	return string(b)
}

var seedFlag = flag.Uint64("seed", 0, "repeat the test that failed with this seed; 0 takes a new one")

// random is a source whose seed stands in the log of a test that fails.
func random(t testing.TB) *rand.Rand {
	seed := *seedFlag
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-seed=%#x", seed)
	return rand.New(rand.NewPCG(seed, 0))
}
