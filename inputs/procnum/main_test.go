package procnum

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// beProcess makes this test binary a process to be found: it does what main does in helpers.
const beProcess = "CATPAW_TEST_BE_A_PROCESS"

func TestMain(m *testing.M) {
	if role := os.Getenv(beProcess); role != "" {
		os.Exit(play(role))
	}
	goleak.VerifyTestMain(m)
}
