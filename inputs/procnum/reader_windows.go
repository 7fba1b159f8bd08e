package procnum

import (
	"context"
	"unsafe"

	"github.com/shirou/gopsutil/v3/process"
	"golang.org/x/sys/windows"
)

// executables lists the file names of all executables. Unlike their paths they need no privilege.
func executables() map[int32]string {
	names := map[int32]string{}
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPPROCESS, 0)
	if err != nil {
		return names
	}
	defer windows.CloseHandle(snapshot)
	entry := windows.ProcessEntry32{Size: uint32(unsafe.Sizeof(windows.ProcessEntry32{}))}
	for err = windows.Process32First(snapshot, &entry); err == nil; err = windows.Process32Next(snapshot, &entry) {
		names[int32(entry.ProcessID)] = windows.UTF16ToString(entry.ExeFile[:])
	}
	return names
}

func cmdline(ctx context.Context, pid int32) (string, error) {
	return (&process.Process{Pid: pid}).CmdlineWithContext(ctx)
}

func exePath(ctx context.Context, pid int32) (string, error) {
	return (&process.Process{Pid: pid}).ExeWithContext(ctx)
}
