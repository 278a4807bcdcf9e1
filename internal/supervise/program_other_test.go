//go:build !unix

package supervise_test

func play(string) int { return 99 }
