package main

import "io"

// An upper reads from a reader in upper case. It changes ASCII letters only:
// other characters may have bytes on both sides of a Read.
type upper struct{ io.Reader }

func (u upper) Read(p []byte) (int, error) {
	n, err := u.Reader.Read(p)
	for i, b := range p[:n] {
		if 'a' <= b && b <= 'z' {
			p[i] = b - 'a' + 'A'
		}
	}
	return n, err
}
