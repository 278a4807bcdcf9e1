// Package drivertest holds drivers to the rules of package driver.
//
// Run is the table of those rules. What it is built from, a Server whose
// connections tell the test what their driver calls, serves the drivers' own
// tests as well. It sits on package driver; only tests import it.
package drivertest
