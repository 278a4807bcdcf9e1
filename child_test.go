package fastcgi_test

// childRole is the variable that makes the test binary play a part in a test.
const childRole = "FASTCGI_TEST_ROLE"

func playChild(role string) int { return 1 }
