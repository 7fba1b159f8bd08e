package api

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"go.uber.org/zap"
)

// TestTheSocketRefusesOtherUsers even where everybody may enter the directory.
func TestTheSocketRefusesOtherUsers(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can become another user")
	}
	dir, err := os.MkdirTemp("", "catpaw-socket-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	defer ServeSocket(dir, &still{}, zap.NewNop())()
	client, err := Dial(dir)
	if err != nil {
		t.Fatalf("its own user: %v", err)
	}
	client.Close()
	if err := asNobody(func() error {
		conn, err := net.Dial("unix", filepath.Join(dir, "catpaw.sock"))
		if err == nil {
			conn.Close()
		}
		return err
	}); !errors.Is(err, syscall.EACCES) {
		t.Errorf("another user: %v, want %v", err, syscall.EACCES)
	}
}

// asNobody does something with the rights to files that nobody has (setfsuid(2)), in a thread that ends with it.
func asNobody(do func() error) error {
	const nobody = 65534
	result := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked
		if _, _, errno := syscall.RawSyscall(syscall.SYS_SETFSUID, nobody, 0, 0); errno != 0 {
			result <- errno
			return
		}
		result <- do()
	}()
	return <-result
}
