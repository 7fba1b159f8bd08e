package procnum

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"catpaw/pipeline"
)

func TestNamesAndPaths(t *testing.T) {
	t.Parallel()
	w := word()
	long := "a-process-whose-name-is-long-" + w
	path := program(t, long)
	c := start(t, path, "live", "some", "argument")
	for name, search := range map[string]string{
		"the whole of a Name beyond 15 characters": long,
		"a part beyond the 15th character":         w,
		"the path of the executable":               path,
		"a part of the path":                       path[len(filepath.Dir(filepath.Dir(filepath.Dir(path)))) : len(path)-len(w)],
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := look(t, fmt.Sprintf("search_exec_substring = %q", search))
			want(t, e, pipeline.Ok, "1 process")
			wantFound(t, e, c.pid)
		})
	}
	t.Run("arguments are no part of it", func(t *testing.T) {
		t.Parallel()
		want(t, look(t, "search_exec_substring = 'some argument'"), pipeline.Warning, "0 processes")
	})
	t.Run("the command line is the arguments joined by blanks", func(t *testing.T) {
		t.Parallel()
		wantFound(t, look(t, fmt.Sprintf("search_cmdline_substring = '%s some argument'", w)), c.pid)
	})
}

func TestAnExecutableThatWasReplaced(t *testing.T) {
	t.Parallel()
	path := program(t, word())
	c := start(t, path, "live")
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	wantFound(t, look(t, fmt.Sprintf("search_exec_substring = %q", path)), c.pid)
}

func TestAProcessThatRenamesItself(t *testing.T) {
	t.Parallel()
	old := word()
	path := program(t, old)
	renamed, titled := "new"+word(), "title"+word()
	byName := start(t, path, "rename "+renamed[:15])
	byTitle := start(t, path, "title "+titled+": at work", "with", "arguments", "to", "write", "over")
	atStart := start(t, path, "live")
	for name, c := range map[string]struct {
		options string
		pids    []int
	}{
		"by prctl, under the new Name":              {"search_exec_substring = '" + renamed[:15] + "'", []int{byName.pid}},
		"by its title, in the exec search":          {"search_exec_substring = '" + titled + "'", []int{byTitle.pid}},
		"by its title, in the command line":         {"search_cmdline_substring = '" + titled + ": at work'", []int{byTitle.pid}},
		"all are found under the old name":          {"search_exec_substring = '" + old + "'", []int{byName.pid, byTitle.pid, atStart.pid}},
		"what prctl renamed keeps its command line": {"search_cmdline_substring = '" + old + "'", []int{byName.pid, atStart.pid}},
		"the other words of a title are no name":    {"search_exec_substring = '" + titled + ": at work'", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantFound(t, look(t, c.options), c.pids...)
		})
	}
}

func TestAScriptIsFoundUnderItsWholeName(t *testing.T) {
	t.Parallel()
	script := filepath.Join(t.TempDir(), "a-script-of-mine-"+word()+".sh")
	syscall.ForkLock.RLock() // see copyProgram
	err := os.WriteFile(script, []byte("#!/bin/sh -u\necho ready\nread line\n"), 0o755)
	syscall.ForkLock.RUnlock()
	if err != nil {
		t.Fatal(err)
	}
	c := startCommand(t, exec.Command(script))
	wantFound(t, look(t, fmt.Sprintf("search_exec_substring = %q", filepath.Base(script))), c.pid)
}

func TestZombiesAreNotCounted(t *testing.T) {
	t.Parallel()
	path := program(t, word()+"-and-more-beyond-15")
	live, dead := start(t, path, "live"), start(t, path, "live")
	dead.end(t)
	name := filepath.Base(path)[:15]
	e := look(t, "search_exec_substring = '"+name+"'\nalert_if_num_lt = 2")
	want(t, e, pipeline.Warning, "1 process", "not counted", "zombies): "+strconv.Itoa(dead.pid))
	wantFound(t, e, live.pid)
	file := pidFile(t, strconv.Itoa(dead.pid))
	want(t, look(t, "search_pid_file = '"+file+"'"), pipeline.Warning, "0 processes", "zombies): "+strconv.Itoa(dead.pid))
}

func TestAProcessWhoseFirstThreadHasEnded(t *testing.T) {
	t.Parallel()
	path := program(t, word())
	c := start(t, path, "leaderless", "its-argument")
	wantFound(t, look(t, fmt.Sprintf("search_exec_substring = %q", path)), c.pid)
	wantFound(t, look(t, fmt.Sprintf("search_cmdline_substring = '%s its-argument'", path)), c.pid)
}

func TestVeryLongArguments(t *testing.T) {
	t.Parallel()
	w := word()
	c := start(t, os.Args[0], "live", strings.Repeat("/some/library.jar:", 7000), "org.example.Main"+w)
	wantFound(t, look(t, "search_cmdline_substring = 'Main"+w+"'"), c.pid)
}

func TestUsers(t *testing.T) {
	t.Parallel()
	w := word()
	c := start(t, os.Args[0], "live", w)
	uid := strconv.Itoa(os.Geteuid())
	base := "search_cmdline_substring = '" + w + "'\n"
	wantFound(t, look(t, base+"search_user = '"+uid+"'"), c.pid)
	if name := userName(); name != "" {
		wantFound(t, look(t, base+"search_user = '"+name+"'"), c.pid)
	}
	e := look(t, base+"search_user = '12345678'")
	wantFound(t, e)
	want(t, e, pipeline.Warning, "**user**: `12345678`")
	e = look(t, "search_user = '"+uid+"'")
	want(t, e, pipeline.Ok)
	if attr(e, "processes").(int64) < 2 {
		t.Errorf("alone it counts all processes of the user, and there are %v", attr(e, "processes"))
	}
	e = look(t, base+"search_user = 'no-such-user-here'\nalert_if_num_gt = 5")
	want(t, e, pipeline.Warning, "cannot look**: unknown user no-such-user-here", "Create the user", "`getent passwd 'no-such-user-here'`")
}

func userName() string {
	out, err := exec.Command("id", "-un").Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}

func pidFile(t testing.TB, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "service.pid")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPidFiles(t *testing.T) {
	t.Parallel()
	w := word()
	c := start(t, os.Args[0], "live", w)
	pid := strconv.Itoa(c.pid)
	ended := exec.Command("true")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	thread := ""
	for _, entry := range must(os.ReadDir("/proc/" + pid + "/task")) {
		if entry.Name() != pid {
			thread = entry.Name()
		}
	}
	for name, c := range map[string]struct {
		text, options string
		status        pipeline.Status
		say           string
	}{
		"of a process that lives":          {pid + "\n", "", pipeline.Ok, "1 process"},
		"with more lines, as PostgreSQL's": {pid + "\n/var/lib/postgresql\n5432\n", "", pipeline.Ok, "1 process"},
		"and the other searches agree":     {pid, "search_cmdline_substring = '" + w + "'", pipeline.Ok, "1 process"},
		"and the user agrees":              {pid, fmt.Sprintf("search_user = '%d'", os.Geteuid()), pipeline.Ok, "1 process"},
		"of another process by now":        {pid, "search_cmdline_substring = 'nginx-" + w + "x'", pipeline.Warning, "that process is another one (" + filepath.Base(os.Args[0])},
		"of another one's by its name":     {pid, "search_exec_substring = 'nginx-" + w + "x'", pipeline.Warning, "that process is another one"},
		"of another user":                  {pid, "search_user = '12345678'", pipeline.Warning, "that process is another one"},
		"of a process that is gone":        {strconv.Itoa(ended.Process.Pid), "", pipeline.Warning, "there is no such process"},
		"of a thread":                      {thread, "", pipeline.Warning, "there is no such process"},
		"that is empty":                    {"\n", "", pipeline.Warning, "it is empty"},
		"with something else":              {"run\x1bning", "", pipeline.Warning, `it begins with "run·ning", which is no number of a process`},
		"with a number that is none":       {"0", "", pipeline.Warning, "no number of a process"},
		"with a negative number":           {"-1", "", pipeline.Warning, "no number of a process"},
		"that must not live":               {pid, "alert_if_num_gt = 0", pipeline.Warning, "no process"},
		"that must not live, and does not": {"", "alert_if_num_gt = 0", pipeline.Ok, "it is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want(t, look(t, "search_pid_file = '"+pidFile(t, c.text)+"'\n"+c.options), c.status, c.say)
		})
	}
	want(t, look(t, "search_pid_file = '/nowhere/at.pid'"), pipeline.Warning, "because", "no such file or directory", "cat '/nowhere/at.pid'")
	want(t, look(t, "search_pid_file = '/'"), pipeline.Warning, "it is not a regular file")
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func TestAPidFileIsJudgedNowAndNotAMomentAgo(t *testing.T) {
	t.Parallel()
	table := NewTable()
	gather(t, table, "search_user = 'root'\nalert_if_num_lt = 1") // the shared snapshot
	c := start(t, os.Args[0], "live")
	want(t, gather(t, table, "search_pid_file = '"+pidFile(t, strconv.Itoa(c.pid))+"'\nalert_if_num_lt = 1"), pipeline.Ok)
}

func TestAPidFileThatMayNotBeRead(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may read all files")
	}
	path := pidFile(t, "1")
	if err := os.Chmod(path, 0); err != nil {
		t.Fatal(err)
	}
	want(t, look(t, "search_pid_file = '"+path+"'\nalert_if_num_gt = 5"), pipeline.Warning, "permission denied", "run catpaw as root")
}

func TestBounds(t *testing.T) {
	t.Parallel()
	w := word()
	pids := []int{start(t, os.Args[0], "live", w).pid, start(t, os.Args[0], "live", w).pid}
	for name, c := range map[string]struct {
		bounds string
		status pipeline.Status
		say    string
	}{
		"as many as there must be":    {"alert_if_num_lt = 2", pipeline.Ok, "at least 2 processes"},
		"too few":                     {"alert_if_num_lt = 3", pipeline.Warning, "at least 3 processes"},
		"as many as there may be":     {"alert_if_num_gt = 2", pipeline.Ok, "at most 2 processes"},
		"too many":                    {"alert_if_num_gt = 1", pipeline.Warning, "at most 1 process\n"},
		"none may be":                 {"alert_if_num_gt = 0", pipeline.Warning, "**expected**: no process\n"},
		"between both":                {"alert_if_num_lt = 1\nalert_if_num_gt = 3", pipeline.Ok, "1 to 3 processes"},
		"exactly as many":             {"alert_if_num_lt = 2\nalert_if_num_gt = 2", pipeline.Ok, "exactly 2 processes"},
		"more than exactly one":       {"alert_if_num_lt = 1\nalert_if_num_gt = 1", pipeline.Warning, "exactly 1 process\n"},
		"the description names them":  {"alert_if_num_gt = 1", pipeline.Warning, fmt.Sprintf("**processes**: 2\n  - %d %s", pids[0], filepath.Base(os.Args[0]))},
		"and says how to look":        {"alert_if_num_gt = 1", pipeline.Warning, fmt.Sprintf("`ps -o pid,user,lstart,args -p %d,%d`", pids[0], pids[1])},
		"what was searched is stated": {"alert_if_num_lt = 1", pipeline.Ok, "**search**: `" + w + "` in the command line"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := look(t, "search_cmdline_substring = '"+w+"'\n"+c.bounds)
			want(t, e, c.status, c.say)
			wantFound(t, e, pids...)
		})
	}
	want(t, look(t, "search_cmdline_substring = \"no'such\""), pipeline.Warning, "0 processes", `ps -ef | grep -F -- 'no'\''such'`)
}

func TestDescriptionsHoldNoArguments(t *testing.T) {
	t.Parallel()
	w := word()
	start(t, os.Args[0], "live", w, "--password=hunter2")
	if e := look(t, "search_cmdline_substring = '"+w+"'\nalert_if_num_gt = 0"); strings.Contains(e.Description, "hunter2") {
		t.Errorf("a password is shown: %s", e.Description)
	}
}

// Without privilege the original saw no process of others, and fired.
func TestAnOrdinaryUserSeesTheProcessesOfOthers(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root, to become somebody else")
	}
	w := word()
	start(t, program(t, w), "live", "arg-"+w)
	for name, c := range map[string]struct {
		options, mount string
		say            []string
	}{
		"by name":                      {"search_exec_substring = '" + w + "'\nalert_if_num_lt = 1", "", []string{`"Status":2`, "1 process"}},
		"by command line":              {"search_cmdline_substring = 'arg-" + w + "'\nalert_if_num_lt = 1", "", []string{`"Status":2`}},
		"what it cannot see is told":   {"search_exec_substring = '/nowhere/" + w + "'\nalert_if_num_lt = 1", "", []string{`"Status":4`, "the path of the executable may not be read", "CAP_SYS_PTRACE"}},
		"not where it is enough":       {"search_exec_substring = '" + w + "'\nalert_if_num_lt = 1", "hidepid=0", []string{`"Status":2`}},
		"hidden by hidepid=2":          {"search_exec_substring = '" + w + "'\nalert_if_num_lt = 1", "hidepid=2", []string{`"Status":4`, "mounted with hidepid", "run catpaw as root", "gid="}},
		"hidden, and a bound above":    {"search_exec_substring = '" + w + "'\nalert_if_num_gt = 3", "hidepid=2", []string{`"Status":4`, "mounted with hidepid"}},
		"unreadable by hidepid=1":      {"search_cmdline_substring = '" + w + "'\nalert_if_num_lt = 1", "hidepid=1", []string{`"Status":4`, "may not be read", "unseen_processes"}},
		"the agent's own user is seen": {"search_user = '65534'\nalert_if_num_lt = 1\nalert_if_num_gt = 500", "hidepid=2", []string{`"Status":2`}},
		"pid files work all the same":  {"search_pid_file = '" + pidFileForAll(t, os.Getpid()) + "'\nalert_if_num_lt = 1", "hidepid=2", []string{`"Status":2`, "1 process"}},
		"but nobody knows who it is":   {"search_pid_file = '" + pidFileForAll(t, os.Getpid()) + "'\nsearch_user = 'root'\nalert_if_num_lt = 1", "hidepid=2", []string{`"Status":4`, "may not be looked at"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			said := lookAsNobody(t, c.options, c.mount)
			for _, piece := range c.say {
				if !strings.Contains(said, piece) {
					t.Errorf("%q is not in %s", piece, said)
				}
			}
		})
	}
}

func pidFileForAll(t *testing.T, pid int) string {
	dir := must(os.MkdirTemp("", "procnum"))
	t.Cleanup(func() { os.RemoveAll(dir) })
	os.Chmod(dir, 0o755)
	path := filepath.Join(dir, "pid")
	os.WriteFile(path, []byte(strconv.Itoa(pid)), 0o644)
	return path
}

// lookAsNobody runs the probe in a process of another user, with /proc mounted as is asked.
func lookAsNobody(t *testing.T, options, mount string) string {
	t.Helper()
	for _, tool := range []string{"unshare", "setpriv", "mount"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skip(err)
		}
	}
	path := filepath.Join(filepath.Dir(pidFileForAll(t, 1)), "look")
	copyProgram(t, path)
	script := `set -e; if [ -n "$MOUNT" ]; then mount -t proc -o "$MOUNT" proc /proc; fi
		exec setpriv --reuid=65534 --regid=65534 --clear-groups "$PROGRAM"`
	command := exec.Command("unshare", "-m", "sh", "-c", script)
	command.Env = append(os.Environ(), "MOUNT="+mount, "PROGRAM="+path, "CATPAW_TEST_OPTIONS=check = 'c'\n"+options, beProcess+"=look", quickExit)
	return startCommand(t, command).said
}
