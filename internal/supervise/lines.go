package supervise

import (
	"bufio"
	"bytes"
	"io"
)

// longestLine is where a line is broken, in bytes: one process must not make its supervisor remember any amount.
const longestLine = 8192

// eachLine calls line for each line of r, without its end, until r fails or ends. A last line needs no end.
func eachLine(r io.Reader, line func(string)) {
	lines := bufio.NewReaderSize(r, longestLine)
	for {
		text, err := lines.ReadSlice('\n')
		if len(text) > 0 {
			text = bytes.TrimSuffix(text, []byte("\n"))
			line(string(bytes.TrimSuffix(text, []byte("\r"))))
		}
		if err != nil && err != bufio.ErrBufferFull {
			return
		}
	}
}
