package procnum

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"catpaw/internal/printable"
)

// maxPidFile is more than the longest of them: that of PostgreSQL has a few lines beside the number.
const maxPidFile = 4 << 10

// searchPidFile looks at the process whose number is in the file, now and not in the shared snapshot: a
// service that has just been started again would not be in there.
func (p *Probe) searchPidFile(ctx context.Context) (*sight, error) {
	pid, err := readPidFile(p.SearchPidFile)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return &sight{fault: fmt.Sprintf("the pid file cannot be read: %v. Make it readable for the user of catpaw, or run catpaw as root", err),
			further: "ls -l " + quoted(p.SearchPidFile, "'")}, nil
	case err != nil:
		return &sight{nothing: "the pid file is of no use: " + err.Error()}, nil
	}
	s := &sight{}
	if err := p.findUser(ctx, s); err != nil || s.fault != "" {
		return s, err
	}
	snapshot, is, err := p.table.one(ctx, pid, p.columns())
	if err != nil {
		return nil, err
	}
	alone := p.SearchExec+p.SearchCmdline+p.SearchUser == ""
	switch {
	case is == gone:
		s.nothing = fmt.Sprintf("the pid file says %d, and there is no such process", pid)
	case is == denied && alone: // that it is there is all that is asked
		s.pids, s.names = []int32{pid}, []string{"not to be seen"}
	case is == denied:
		s.fault = fmt.Sprintf("the pid file says %d, and that process may not be looked at (is /proc mounted with hidepid?). Run catpaw as root, or put it in the group named by the mount option gid= of /proc", pid)
	default:
		p.pick(snapshot, s)
		if len(s.pids) == 0 && len(s.zombies) == 0 && s.fault == "" && s.blind.most() == 0 {
			s.nothing = fmt.Sprintf("the pid file says %d, and that process is another one (%s)", pid, printable.Line(snapshot.name(0), 100))
		}
	}
	return s, nil
}

// readPidFile returns the number that the file begins with.
func readPidFile(path string) (int32, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a regular file") // a pipe would wait for ever
	}
	if err != nil {
		return 0, pathless(err)
	}
	file, err := os.Open(path)
	if err != nil {
		return 0, pathless(err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxPidFile))
	if err != nil {
		return 0, pathless(err)
	}
	words := strings.Fields(string(data))
	if len(words) == 0 {
		return 0, errors.New("it is empty")
	}
	pid, err := strconv.ParseInt(words[0], 10, 32)
	if err != nil || pid < 1 {
		return 0, fmt.Errorf("it begins with %q, which is no number of a process", printable.Line(words[0], 50))
	}
	return int32(pid), nil
}

// pathless takes the path out of an error: the description has it already.
func pathless(err error) error {
	var perr *fs.PathError
	if errors.As(err, &perr) {
		return perr.Err
	}
	return err
}
