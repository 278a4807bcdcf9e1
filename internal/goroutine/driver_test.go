package goroutine_test

import (
	"testing"
	"time"

	"github.com/simple-fastcgi/fastcgi/internal/driver"
	"github.com/simple-fastcgi/fastcgi/internal/driver/drivertest"
	"github.com/simple-fastcgi/fastcgi/internal/goroutine"
	"github.com/simple-fastcgi/fastcgi/internal/leak"
)

// TestMain fails where tests leave goroutines or descriptors behind.
func TestMain(m *testing.M) { leak.Main(m) }

func newDriver(writeTimeout time.Duration) driver.Driver {
	return &goroutine.Driver{WriteTimeout: writeTimeout}
}

// The driver keeps to the rules of the seam.
func TestRules(t *testing.T) { drivertest.Run(t, newDriver, "pipe", "unix", "tcp", "tls") }

func TestW9RulesWithGoexit(t *testing.T) { drivertest.RunExits(t, newDriver) }
