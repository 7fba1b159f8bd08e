//go:build unix

package http

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv(benchServer) != "" {
		serve()
	}
	goleak.VerifyTestMain(m)
}
