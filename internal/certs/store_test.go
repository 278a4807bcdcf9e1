package certs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/certs"
	"github.com/simple-fastcgi/fastcgi/internal/certs/certstest"
	"github.com/simple-fastcgi/fastcgi/internal/leak"
	"github.com/simple-fastcgi/fastcgi/internal/required"
)

func TestMain(m *testing.M) { leak.Main(m) }

// A folder has a certificate, its key and an authority in files, and a Store that has read them.
type folder struct {
	t         *testing.T
	dir       string
	authority *certstest.Authority
	files     certs.Files
	store     *certs.Store
	told      []string // what the Store has told: "read", or why not
}

// inFolder runs a test with a clock of its own.
func inFolder(t *testing.T, test func(t *testing.T, f *folder)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := &folder{t: t, dir: t.TempDir(), authority: certstest.NewAuthority(t, "authority")}
		f.files.Cert, f.files.Key = f.authority.Pair("first").Write(t, f.dir, "app")
		f.files.CA = filepath.Join(f.dir, "ca.pem")
		certstest.WriteFile(t, f.files.CA, f.authority.PEM)
		f.open()
		test(t, f)
	})
}

func (f *folder) open() {
	f.t.Helper()
	store, err := certs.Open(f.files, func(err error) {
		if err == nil {
			f.told = append(f.told, "read")
			return
		}
		f.told = append(f.told, err.Error())
	})
	if err != nil {
		f.t.Fatal(err)
	}
	f.store = store
}

// uses expects the certificate that the next handshake has.
func (f *folder) uses(name string) {
	f.t.Helper()
	if got := f.store.Content().Certificate.Leaf.Subject.CommonName; got != name {
		f.t.Errorf("the certificate is that of %s, want %s", got, name)
	}
}

// expectTold expects what the Store has told since it was asked last: a part of each.
func (f *folder) expectTold(parts ...string) {
	f.t.Helper()
	ok := len(f.told) == len(parts)
	for i := 0; ok && i < len(parts); i++ {
		ok = strings.Contains(f.told[i], parts[i])
	}
	if !ok {
		f.t.Errorf("told %q, want %q", f.told, parts)
	}
	f.told = nil
}

// Files are looked at once a second, and no more.
func TestOnceASecond(t *testing.T) {
	for _, tt := range []struct {
		after time.Duration
		name  string
	}{
		{time.Second - 1, "first"},
		{time.Second, "second"},
		{time.Second + 1, "second"},
	} {
		inFolder(t, func(t *testing.T, f *folder) {
			f.authority.Pair("second").Write(t, f.dir, "app")
			time.Sleep(tt.after)
			f.uses(tt.name)
			if tt.name == "second" {
				f.expectTold("read")
			}
		})
	}
}

// However the files come, what is in them is used.
func TestReplaced(t *testing.T) {
	for name, replace := range map[string]func(f *folder, pair certstest.Pair){
		"by renames": func(f *folder, pair certstest.Pair) { pair.Write(f.t, f.dir, "app") },
		"in place": func(f *folder, pair certstest.Pair) {
			for path, text := range map[string][]byte{f.files.Cert: pair.Cert, f.files.Key: pair.Key} {
				if err := os.WriteFile(path, text, 0o600); err != nil {
					f.t.Fatal(err)
				}
				// Another time than before, where the system's clock is coarse.
				if err := os.Chtimes(path, time.Time{}, time.Now()); err != nil {
					f.t.Fatal(err)
				}
			}
		},
		"and away for a moment": func(f *folder, pair certstest.Pair) {
			os.Remove(f.files.Cert)
			time.Sleep(time.Second)
			f.uses("first")
			f.expectTold("cannot read the certificate")
			pair.Write(f.t, f.dir, "app")
		},
	} {
		t.Run(name, func(t *testing.T) {
			inFolder(t, func(t *testing.T, f *folder) {
				for range 2 { // the second time by one more of the same name
					replace(f, f.authority.Pair("second"))
					time.Sleep(time.Second)
					before := f.store.Content()
					f.uses("second")
					f.expectTold("read")
					time.Sleep(time.Second)
					if f.store.Content() != before {
						t.Error("the files were read though nothing had changed")
					}
					f.authority.Pair("first").Write(t, f.dir, "app")
					time.Sleep(time.Second)
					f.uses("first")
					f.expectTold("read")
				}
			})
		})
	}
}

// Kubernetes has the files of a secret behind a symbolic link to a folder, which it replaces; certbot has one for each file.
func TestSymbolicLinks(t *testing.T) {
	inFolder(t, func(t *testing.T, f *folder) {
		files := f.files
		link := func(to string) {
			t.Helper()
			next := filepath.Join(f.dir, "..data_tmp")
			if err := os.Symlink(to, next); err != nil {
				required.Missing(t, "no symbolic links can be made: %v", err)
			}
			if err := os.Rename(next, filepath.Join(f.dir, "..data")); err != nil {
				t.Fatal(err)
			}
		}
		for _, version := range []string{"one", "two"} {
			dir := filepath.Join(f.dir, version)
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			f.authority.Pair(version).Write(t, dir, "tls")
		}
		link("one")
		for path, to := range map[string]string{"live.pem": "..data/tls.pem", "live.key": "..data/tls.key"} {
			if err := os.Symlink(to, filepath.Join(f.dir, path)); err != nil {
				t.Fatal(err)
			}
		}
		f.files = certs.Files{Cert: filepath.Join(f.dir, "live.pem"), Key: filepath.Join(f.dir, "live.key"), CA: files.CA}
		f.open()
		f.uses("one")
		link("two")
		time.Sleep(time.Second)
		f.uses("two")
		f.expectTold("read")
	})
}

// While files cannot be used, the old ones are, and each change is told once.
func TestBroken(t *testing.T) {
	inFolder(t, func(t *testing.T, f *folder) {
		write := func(path string, text []byte, wait time.Duration) {
			t.Helper()
			certstest.WriteFile(t, path, text)
			for range wait / time.Second {
				time.Sleep(time.Second)
				f.uses("first")
			}
		}
		second := f.authority.Pair("second")
		write(f.files.Cert, second.Cert, 3*time.Second)
		f.expectTold("does not match")
		write(f.files.Key, []byte("no key"), 3*time.Second)
		f.expectTold("cannot use the certificate")
		write(f.files.CA, []byte("no certificate"), 3*time.Second)
		f.expectTold("cannot use the certificate")
		write(f.files.Key, second.Key, 3*time.Second)
		f.expectTold("cannot use the authorities")
		write(f.files.CA, f.authority.PEM, 0)
		time.Sleep(time.Second)
		f.uses("second")
		f.expectTold("read")
	})
}

// What was back as it was before is no change, and the next one is.
func TestBrokenAndBack(t *testing.T) {
	inFolder(t, func(t *testing.T, f *folder) {
		for range 2 {
			if err := os.Rename(f.files.Key, f.files.Key+".away"); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			f.uses("first")
			f.expectTold("cannot read the key")
			if err := os.Rename(f.files.Key+".away", f.files.Key); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
			f.uses("first")
			f.expectTold()
		}
	})
}

// Files that could not be used are read again each time, also if nothing of them that can be seen has changed: the reason may
// have been another one, such as too many open files.
func TestReadAgain(t *testing.T) {
	inFolder(t, func(t *testing.T, f *folder) {
		second, then := f.authority.Pair("second"), time.Now().Add(-time.Hour)
		overwrite := func(path string, text []byte) {
			t.Helper()
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chtimes(path, then, then); err != nil {
				t.Fatal(err)
			}
		}
		overwrite(f.files.Cert, second.Cert)
		overwrite(f.files.Key, make([]byte, len(second.Key)))
		time.Sleep(time.Second)
		f.uses("first")
		f.expectTold("cannot use the certificate")
		overwrite(f.files.Key, second.Key)
		time.Sleep(time.Second)
		f.uses("second")
		f.expectTold("read")
	})
}

// What cannot be used from the start is an error that names the file, what is wrong and what to do.
func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	a := certstest.NewAuthority(t, "authority")
	cert, key := a.Pair("one").Write(t, dir, "one")
	_, otherKey := a.Pair("two").Write(t, dir, "two")
	both := filepath.Join(dir, "both.pem")
	pair := a.Pair("both")
	certstest.WriteFile(t, both, append(pair.Cert, pair.Key...))
	missing := filepath.Join(dir, "missing.pem")
	for _, tt := range []struct {
		files certs.Files
		says  []string // none: it works
	}{
		{certs.Files{}, nil},
		{certs.Files{Cert: cert, Key: key}, nil},
		{certs.Files{Cert: both}, nil},
		{certs.Files{CA: cert}, nil},
		{certs.Files{Cert: cert, Key: otherKey}, []string{cert, otherKey, "does not match", "name the PEM files"}},
		{certs.Files{Cert: cert}, []string{cert, "name the PEM files"}},
		{certs.Files{Cert: key, Key: key}, []string{key, "name the PEM files"}},
		{certs.Files{Cert: missing, Key: key}, []string{missing, "cannot read the certificate"}},
		{certs.Files{Cert: cert, Key: missing}, []string{missing, "cannot read the key"}},
		{certs.Files{CA: missing}, []string{missing, "cannot read the certificates of authorities"}},
		{certs.Files{CA: key}, []string{key, "no certificate in PEM form"}},
	} {
		_, err := certs.Open(tt.files, func(error) {})
		if (err == nil) != (tt.says == nil) {
			t.Errorf("%+v: %v", tt.files, err)
			continue
		}
		for _, part := range tt.says {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%+v: %v; want %q in it", tt.files, err, part)
			}
		}
	}
}
