//go:build !unix

package filechange

import "testing"

func makeFIFO(t testing.TB, _ string) { t.Skip(onUnix) }
