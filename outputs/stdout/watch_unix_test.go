//go:build unix

package stdout

import (
	"context"
	"os"
	"testing"
)

func TestAReaderThatLeavesIsNoticedWithoutAWrite(t *testing.T) {
	t.Parallel()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer write.Close()
	gone := make(chan bool)
	go func() { gone <- readerGone(t.Context(), write) }()
	select {
	case <-gone:
		t.Fatal("the reader is still there")
	default:
	}
	read.Close()
	if !<-gone {
		t.Error("not noticed")
	}
}

func TestWatchingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close()
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan bool)
	go func() { gone <- readerGone(ctx, write) }()
	cancel()
	if <-gone {
		t.Error("the reader is still there")
	}
}
