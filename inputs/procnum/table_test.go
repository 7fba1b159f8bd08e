package procnum

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

// fake is a process table of the test's making. It counts what is read of it.
type fake struct {
	processes []fakeProcess
	hidden    bool
	listErr   error
	hang      chan struct{} // what reads the arguments of a process that hangs waits for this

	nLists, nArgs, nKernels, nNames, nUsers atomic.Int64
}

type fakeProcess struct {
	pid        int32
	args, exe  string
	user       string
	is         state
	pathless   bool
	hangs      bool
	panicsWith any
}

// table makes a table of the fake, with a clock that stands still.
func (f *fake) table() (*Table, *atomic.Int64) {
	var clock atomic.Int64
	t := NewTable()
	t.open = func() (reader, error) { return (*fakeReader)(f), nil }
	t.now = func() time.Time { return time.Unix(1_700_000_000, clock.Load()) }
	t.users.lookup = func(name string) (string, error) {
		if name == "nobody" {
			return "", errors.New("unknown user nobody")
		}
		return name, nil
	}
	return t, &clock
}

type fakeReader fake

func (f *fakeReader) close() {}

func (f *fakeReader) list(context.Context) (pids []int32, hidden bool, err error) {
	f.nLists.Add(1)
	for i := range f.processes {
		pids = append(pids, f.processes[i].pid)
	}
	return pids, f.hidden, f.listErr
}

func (f *fakeReader) of(pid int32) *fakeProcess {
	for i := range f.processes {
		if f.processes[i].pid == pid {
			return &f.processes[i]
		}
	}
	return &fakeProcess{is: gone}
}

func (f *fakeReader) is(_ context.Context, pid int32) state { return f.of(pid).is }

func (f *fakeReader) args(_ context.Context, pid int32, wasKernel bool, text []byte) ([]byte, state) {
	f.nArgs.Add(1)
	p := f.of(pid)
	if p.panicsWith != nil {
		panic(p.panicsWith)
	}
	if p.hangs {
		<-f.hang
	}
	if p.is == kernel && !wasKernel {
		f.nKernels.Add(1)
	}
	return append(text, p.args...), p.is
}

func (f *fakeReader) names(_ context.Context, pid int32, _ string, _ state, text []byte) ([]byte, bool) {
	f.nNames.Add(1)
	return append(text, f.of(pid).exe...), f.of(pid).pathless
}

func (f *fakeReader) user(_ context.Context, pid int32) string {
	f.nUsers.Add(1)
	return f.of(pid).user
}

func probe(t testing.TB, table *Table, options string) *Probe {
	t.Helper()
	p := New(table)
	p.goos = "linux"
	pipetest.Options(t, "check = 'c'\n"+options, p)
	return p
}

func few() *fake {
	return &fake{processes: []fakeProcess{
		{pid: 1, args: "/sbin/init", exe: "init\n/sbin/init", user: "root"},
		{pid: 2, exe: "kthreadd", user: "root", is: kernel},
		{pid: 10, args: "nginx: master process", exe: "nginx\nnginx:\n/usr/sbin/nginx", user: "root"},
		{pid: 11, args: "nginx: worker process", exe: "nginx\nnginx:\n/usr/sbin/nginx", user: "www-data"},
		{pid: 12, exe: "nginx", user: "www-data", is: zombie},
		{pid: 13, exe: "nginx", user: "www-data", is: gone},
	}}
}

func TestChecksShareASnapshot(t *testing.T) {
	t.Parallel()
	f := few()
	table, clock := f.table()
	var running sync.WaitGroup
	for i := range 100 {
		p := probe(t, table, "search_exec_substring = 'nginx'\nalert_if_num_lt = 2")
		running.Go(func() {
			if e := pipetest.Gather(t, p)[0]; e.Status != pipeline.Ok || attr(e, "pids") != "10, 11" {
				t.Errorf("check %d: %v %s", i, attr(e, "pids"), e.Description)
			}
		})
	}
	running.Wait()
	n := int64(len(f.processes))
	if f.nLists.Load() != 1 || f.nArgs.Load() != n || f.nNames.Load() != n || f.nUsers.Load() != 0 {
		t.Errorf("for 100 checks: %d lists, %d args, %d names, %d users", f.nLists.Load(), f.nArgs.Load(), f.nNames.Load(), f.nUsers.Load())
	}
	clock.Add(int64(moment))
	gather(t, table, "search_cmdline_substring = 'nginx'\nalert_if_num_lt = 1")
	if f.nLists.Load() != 2 || f.nNames.Load() != n {
		t.Errorf("after a second: %d lists, and %d names that nobody asked for", f.nLists.Load(), f.nNames.Load()-n)
	}
	if f.nKernels.Load() != 1 {
		t.Errorf("what a kernel thread is was asked %d times", f.nKernels.Load())
	}
}

func TestColumnsAreReadWhenTheyAreNeeded(t *testing.T) {
	t.Parallel()
	f := few()
	table, _ := f.table()
	n := int64(len(f.processes))
	for i, step := range []struct {
		options      string
		names, users int64
	}{
		{"search_cmdline_substring = 'nginx'", 0, 0},
		{"search_exec_substring = 'nginx'", n, 0},
		{"search_exec_substring = 'nginx'\nsearch_user = 'root'", n, n},
		{"search_user = 'www-data'", n, n},
	} {
		gather(t, table, step.options+"\nalert_if_num_lt = 1")
		if f.nLists.Load() != 1 || f.nArgs.Load() != n || f.nNames.Load() != step.names || f.nUsers.Load() != step.users {
			t.Errorf("step %d: %d lists, %d args, %d names, %d users", i, f.nLists.Load(), f.nArgs.Load(), f.nNames.Load(), f.nUsers.Load())
		}
	}
}

func TestNoCheckSeesASnapshotTwice(t *testing.T) {
	t.Parallel()
	f := few()
	table, _ := f.table()
	p := probe(t, table, "search_exec_substring = 'nginx'\nalert_if_num_lt = 1")
	for i := range int64(3) { // as at an interval of 0.1 s
		pipetest.Gather(t, p)
		if f.nLists.Load() != i+1 {
			t.Errorf("look %d: %d lists", i+1, f.nLists.Load())
		}
	}
}

func TestWhatIsFound(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ options, pids, say string }{
		"by name, zombies and the gone not": {"search_exec_substring = 'nginx'", "10, 11", ""},
		"by name and user":                  {"search_exec_substring = 'nginx'\nsearch_user = 'www-data'", "11", "**user**: `www-data`"},
		"by command line":                   {"search_cmdline_substring = 'worker'", "11", ""},
		"by user alone":                     {"search_user = 'root'", "1, 2, 10", ""},
		"kernel threads too":                {"search_exec_substring = 'kthreadd'", "2", ""},
		"nothing over the border of rows":   {"search_cmdline_substring = 'initnginx'", "", "0 processes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table, _ := few().table()
			e := gather(t, table, c.options+"\nalert_if_num_lt = 1")
			if attr(e, "pids") != c.pids || !strings.Contains(e.Description, c.say) {
				t.Errorf("found %v: %s", attr(e, "pids"), e.Description)
			}
		})
	}
}

func TestWhatCannotBeSeen(t *testing.T) {
	t.Parallel()
	denying := few()
	denying.processes = append(denying.processes, fakeProcess{pid: 20, is: denied, user: "bob"}, fakeProcess{pid: 21, is: denied, user: "bob"})
	closing := few()
	closing.processes = append(closing.processes, fakeProcess{pid: 20, is: closed, exe: "x", user: "bob", pathless: true})
	hiding := few()
	hiding.hidden = true
	for name, c := range map[string]struct {
		table   *fake
		options string
		status  pipeline.Status
		say     string
	}{
		"hidden, too few":                     {hiding, "search_exec_substring = 'nginx'\nalert_if_num_lt = 3", pipeline.Warning, "run catpaw as root, or put it in the group"},
		"hidden, enough":                      {hiding, "search_exec_substring = 'nginx'\nalert_if_num_lt = 2", pipeline.Ok, ""},
		"hidden, perhaps too many":            {hiding, "search_exec_substring = 'nginx'\nalert_if_num_gt = 2", pipeline.Warning, "hidepid"},
		"hidden, but they are our own":        {hiding, "search_user = 'www-data'\nalert_if_num_gt = 2", pipeline.Ok, ""},
		"some may not be read, too few":       {denying, "search_exec_substring = 'nginx'\nalert_if_num_lt = 3", pipeline.Warning, "2 processes may not be read"},
		"they would not make too many":        {denying, "search_exec_substring = 'nginx'\nalert_if_num_gt = 4", pipeline.Ok, ""},
		"they might make too many":            {denying, "search_exec_substring = 'nginx'\nalert_if_num_gt = 3", pipeline.Warning, "2 processes may not be read"},
		"they are another user's":             {denying, "search_exec_substring = 'nginx'\nsearch_user = 'www-data'\nalert_if_num_gt = 3", pipeline.Ok, ""},
		"closed ones are told, not judged":    {closing, "search_cmdline_substring = 'nginx'\nalert_if_num_gt = 2", pipeline.Ok, "the command lines of 1 process may not be read"},
		"paths that may not be read":          {closing, "search_exec_substring = 'apache'\nalert_if_num_lt = 1", pipeline.Warning, "of 1 process of other users only name and command were looked at"},
		"a user that is not there":            {few(), "search_user = 'nobody'\nalert_if_num_gt = 3", pipeline.Warning, "unknown user nobody"},
		"the processes of a user are counted": {denying, "search_user = 'bob'\nalert_if_num_gt = 2", pipeline.Ok, "2 processes"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			table, _ := c.table.table()
			p := probe(t, table, c.options)
			p.self = "www-data"
			e := pipetest.Gather(t, p)[0]
			want(t, e, c.status, c.say)
			if c.say == "" && strings.Contains(e.Description, "not seen") {
				t.Errorf("what does not matter is told: %s", e.Description)
			}
		})
	}
}

func TestATableThatCannotBeRead(t *testing.T) {
	t.Parallel()
	f := few()
	f.listErr = errors.New("input/output error")
	table, _ := f.table()
	p := probe(t, table, "search_exec_substring = 'nginx'\nalert_if_num_lt = 1")
	_, _, err := pipetest.GatherEnd(t, p)
	pipetest.WantError(t, err, "the processes cannot be listed: input/output error")
	f.listErr = nil
	want(t, pipetest.Gather(t, p)[0], pipeline.Ok)
	table.open = func() (reader, error) { return nil, errors.New("open /proc: no such file or directory") }
	_, _, err = pipetest.GatherEnd(t, p)
	pipetest.WantError(t, err, "the process table cannot be read: open /proc: no such file")
}

func TestAProcessThatHangsHoldsUpNobody(t *testing.T) {
	t.Parallel()
	f := few()
	f.hang = make(chan struct{})
	f.processes = append(f.processes, fakeProcess{pid: 66, hangs: true, args: "wedged", exe: "wedged", user: "bob"})
	table, clock := f.table()
	table.hangAfter = 5 * time.Millisecond
	for range 3 { // the second time without waiting, and without a second goroutine that hangs
		clock.Add(int64(moment))
		e := gather(t, table, "search_cmdline_substring = 'nginx'\nalert_if_num_lt = 3")
		want(t, e, pipeline.Warning, "2 processes", "the command lines of 1 process (66): whoever reads them hangs")
	}
	want(t, gather(t, table, "search_exec_substring = 'wedged'\nalert_if_num_lt = 1"), pipeline.Ok)
	want(t, gather(t, table, "search_cmdline_substring = 'nginx'\nalert_if_num_gt = 2"), pipeline.Warning, "hangs")
	close(f.hang)
	for len(table.newPass().skip) > 0 {
		runtime.Gosched() // until the pass that was left behind is through
	}
	clock.Add(int64(moment))
	want(t, gather(t, table, "search_cmdline_substring = 'wedged'\nalert_if_num_lt = 1"), pipeline.Ok)
}

func TestALookEndsWithItsContext(t *testing.T) {
	t.Parallel()
	f := few()
	f.hang = make(chan struct{})
	defer close(f.hang)
	f.processes = append(f.processes, fakeProcess{pid: 66, hangs: true})
	table, _ := f.table()
	table.hangAfter = time.Hour
	ctx, cancel := context.WithCancelCause(t.Context())
	first := make(chan error)
	go func() { _, err := table.look(ctx, columns{}, 0); first <- err }()
	for f.nArgs.Load() < int64(len(f.processes)) {
		runtime.Gosched() // until it hangs
	}
	waiting, leave := context.WithCancelCause(t.Context())
	leave(errors.New("the deadline"))
	_, err := table.look(waiting, columns{}, 0)
	pipetest.WantError(t, err, "another check of this probe waits for it: the deadline")
	cancel(errors.New("stopped"))
	pipetest.WantError(t, <-first, "the process table could not be read: stopped")
}

func TestAPanicReachesTheMachinery(t *testing.T) {
	t.Parallel()
	f := few()
	f.processes = append(f.processes, fakeProcess{pid: 66, panicsWith: "a bug"})
	table, _ := f.table()
	_, _, err := pipetest.GatherEnd(t, probe(t, table, "search_exec_substring = 'nginx'\nalert_if_num_lt = 1"))
	pipetest.WantError(t, err, "the probe panicked: a bug")
}

func TestManyProcessesAreCutInDescriptionAndAttrs(t *testing.T) {
	t.Parallel()
	f := &fake{}
	for i := range int32(5000) {
		f.processes = append(f.processes, fakeProcess{pid: 1_000_000 + i, args: strings.Repeat("x", 40), exe: "xx\x1b[31m" + strings.Repeat("é", 100), user: "u"})
	}
	table, _ := f.table()
	e := gather(t, table, "search_exec_substring = '"+strings.Repeat("é", 50)+"'\nalert_if_num_gt = 4999")
	want(t, e, pipeline.Warning, "5000 processes", "more")
	if pids := fmt.Sprint(attr(e, "pids")); !strings.HasSuffix(pids, "1000019, … (5000 in all)") {
		t.Errorf("pids %s", pids)
	}
	if len(e.Description) > pipeline.MaxDescription || strings.ContainsRune(e.Description, 0x1b) || strings.Contains(e.Description, "left out)\n- **look") {
		t.Errorf("%d bytes: %q", len(e.Description), e.Description)
	}
}

func TestServices(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		found  service
		err    error
		bound  string
		status pipeline.Status
		say    string
	}{
		"one that runs is one process": {service{"running", true, 77}, nil, "alert_if_num_lt = 1", pipeline.Ok, "1 process"},
		"one that must not run":        {service{"running", true, 77}, nil, "alert_if_num_gt = 0", pipeline.Warning, "1 process"},
		"a stopped one is zero":        {service{"stopped", false, 0}, nil, "alert_if_num_lt = 1", pipeline.Warning, "the service is stopped"},
		"a paused one is zero":         {service{"paused", false, 77}, nil, "alert_if_num_lt = 1", pipeline.Warning, "the service is paused"},
		"one that does not exist":      {service{}, errNoService, "alert_if_num_lt = 1", pipeline.Warning, "there is no service of this name"},
		"one that cannot be asked for": {service{}, errors.New("access denied"), "alert_if_num_gt = 0", pipeline.Warning, "access denied. Run catpaw as an administrator"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := New(NewTable())
			p.goos = "windows"
			p.service = func(_ context.Context, name string) (service, error) { return c.found, c.err }
			pipetest.Options(t, "check = 'c'\nsearch_win_service = 'Spooler'\n"+c.bound, p)
			e := pipetest.Gather(t, p)[0]
			want(t, e, c.status, c.say, "**service**: `Spooler`")
			if e.Status != pipeline.Ok {
				want(t, e, c.status, `sc query "Spooler"`)
			}
		})
	}
}

// TestChecksOfAllKindsAtOnce is for the race detector: what one check reads another must not write.
func TestChecksOfAllKindsAtOnce(t *testing.T) {
	t.Parallel()
	table, clock := few().table()
	var checks sync.WaitGroup
	for i := range 12 {
		p := probe(t, table, []string{
			"search_exec_substring = 'nginx'\nalert_if_num_gt = 1000", "search_cmdline_substring = 'nginx'\nalert_if_num_gt = 1000",
			fmt.Sprintf("search_user = 'user%d'\nalert_if_num_gt = 1000", i),
		}[i%3])
		checks.Go(func() {
			for range 200 {
				if _, err := p.search(t.Context()); err != nil {
					t.Error(err)
				}
				clock.Add(int64(moment) / 10)
			}
		})
	}
	checks.Wait()
}

func TestAUserThatCannotBeLookedUpIsAskedForAgain(t *testing.T) {
	t.Parallel()
	table, _ := few().table()
	var down atomic.Bool
	down.Store(true)
	table.users.lookup = func(name string) (string, error) {
		if down.Load() {
			return "", errors.New("the directory service is down")
		}
		return name, nil
	}
	for range 2 { // each check hears of it
		want(t, gather(t, table, "search_user = 'root'\nalert_if_num_gt = 1000"), pipeline.Warning, "the directory service is down")
	}
	down.Store(false)
	want(t, gather(t, table, "search_user = 'root'\nalert_if_num_gt = 1000"), pipeline.Ok)
}

func TestASlowDirectoryServiceHoldsUpNobodyElse(t *testing.T) {
	t.Parallel()
	table, _ := few().table()
	answer := make(chan struct{})
	defer close(answer)
	var asked atomic.Int64
	table.users.lookup = func(name string) (string, error) { asked.Add(1); <-answer; return name, nil }
	for range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		_, err := probe(t, table, "search_user = 'far'\nalert_if_num_lt = 1").search(ctx)
		cancel()
		pipetest.WantError(t, err, "nobody says who the user far is")
	}
	want(t, gather(t, table, "search_cmdline_substring = 'nginx'\nalert_if_num_lt = 1"), pipeline.Ok)
	if asked.Load() != 1 {
		t.Errorf("asked %d times at once", asked.Load())
	}
}

func TestWhileALookHangsNoOtherBegins(t *testing.T) {
	t.Parallel()
	f := few()
	table, _ := f.table()
	hang := make(chan struct{})
	opens := atomic.Int64{}
	table.open = func() (reader, error) { opens.Add(1); <-hang; return (*fakeReader)(f), nil }
	for i := range 3 {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		_, err := table.look(ctx, columns{}, 0)
		cancel()
		pipetest.WantError(t, err, []string{"could not be read: ", "an earlier look hangs in the kernel"}[min(i, 1)])
	}
	if opens.Load() != 1 {
		t.Errorf("%d looks were begun", opens.Load())
	}
	close(hang)
	for table.newPass() == nil {
		runtime.Gosched()
	}
	if _, err := table.look(t.Context(), columns{}, 0); err != nil {
		t.Error(err)
	}
}
