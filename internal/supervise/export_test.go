package supervise

import "time"

// What a Pool is made of, for the tests of each part.

const LongestLine = longestLine

var EachLine = eachLine

type Backoff = backoff

func (b *backoff) After(lived time.Duration) time.Duration { return b.after(lived) }
