package stdout

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t testing.TB, format string, s *stream) *Output {
	t.Helper()
	o := New()
	o.stream, o.colour = s, false
	pipetest.Options(t, fmt.Sprintf("format = %q", format), o)
	return o
}

func event(i int) *pipeline.Message {
	return pipetest.Message(pipeline.Event{ID: fmt.Sprintf("%032x", i), Description: fmt.Sprintf("event %d.\nsecond line", i)})
}

func events(from, to int) (batch []*pipeline.Message) {
	for i := from; i < to; i++ {
		batch = append(batch, event(i))
	}
	return batch
}

// text is what the events look like as JSON lines.
func text(from, to int) string {
	var b strings.Builder
	for _, m := range events(from, to) {
		b.Write(append(m.JSON(), '\n'))
	}
	return b.String()
}

func TestJSONIsOneLineAnEvent(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	o := open(t, "json", newStream(&b, false))
	if v := o.Write(t.Context(), events(0, 3)); v != nil {
		t.Fatal(v)
	}
	if b.String() != text(0, 3) || strings.Count(b.String(), "\n") != 3 {
		t.Errorf("printed %s", &b)
	}
	if New().Format != "json" || o.BatchSize() != 1000 || o.Close() != nil {
		t.Error("defaults")
	}
}

func TestWrongOptions(t *testing.T) {
	t.Parallel()
	pipetest.WantError(t, pipetest.TryOptions(`format = "xml"`, New()), `test.toml:1: format: "xml" is neither "json" nor "text"`)
	pipetest.WantError(t, pipetest.TryOptions(`fromat = "json"`, New()), `did you mean "format"?`)
}

func TestTextIsForPeople(t *testing.T) {
	t.Parallel()
	at := time.Unix(1734339605, 0).Format(time.DateTime)
	for _, c := range []struct {
		event pipeline.Event
		want  string
	}{
		{pipeline.Event{Status: pipeline.Critical, Labels: pipeline.L("check", "HTTP check failed", "from_plugin", "http", "method", "GET", "target", "http://x/"),
			Description: "[MD]\n- **target**: http://x/\n- **method**: GET\n- **error**: connection refused\n- **more**: y"},
			" Critical HTTP check failed | http://x/ | error: connection refused"},
		{pipeline.Event{Status: pipeline.Ok, Labels: pipeline.L("check", "disk", "mount", "/data", "disk", "sda", "from_hostname", "h"), Description: "all well\nmore"},
			" Ok       disk | disk=sda mount=/data | all well"},
		{pipeline.Event{Status: pipeline.Info, Labels: pipeline.L("check", "c"), Description: "[MD]\n```\n\n## heading\n"},
			" Info     c | heading"},
		{pipeline.Event{Status: pipeline.Warning, Labels: pipeline.L("check", "a\nb\x1b[31m"), Description: "x\ty\x00\u202e\xff"},
			" Warning  a b·[31m | x y··\uFFFD"},
		{pipeline.Event{Status: pipeline.Warning, Labels: pipeline.L("check", "c"), Description: strings.Repeat("é", 1000)},
			" Warning  c | " + strings.Repeat("é", 104) + "… (1792 bytes left out)"},
	} {
		var b bytes.Buffer
		open(t, "text", newStream(&b, false)).Write(t.Context(), []*pipeline.Message{pipetest.Message(c.event)})
		if b.String() != at+c.want+"\n" {
			t.Errorf("printed %q\nwant    %q", &b, at+c.want+"\n")
		}
	}
}

func TestColoursOnATerminalOnly(t *testing.T) {
	t.Parallel()
	for status, colour := range colours {
		line := textStyle{colour: true}.append(nil, pipetest.Message(pipeline.Event{Status: status}))
		if !strings.Contains(string(line), " "+colour+status.String()+plain) {
			t.Errorf("%v: %q", status, line)
		}
	}
	file, err := os.Create(filepath.Join(t.TempDir(), "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if wantsColour(file, func(string) string { return "" }) {
		t.Error("colours into a file")
	}
}

func TestTheReaderOfAPipeGoesAway(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if !isPipe(w) {
		t.Error("a pipe is not known as one")
	}
	o := open(t, "json", newStream(w, isPipe(w)))
	if v := o.Write(t.Context(), events(0, 1)); v != nil {
		t.Fatal(v)
	}
	r.Close()
	for _, err := range o.Write(t.Context(), events(1, 3)) {
		if !errors.Is(err, pipeline.ErrReaderGone) {
			t.Errorf("verdict %v", err)
		}
	}
}

func TestABrokenSocketIsTriedAgain(t *testing.T) {
	t.Parallel()
	o := open(t, "json", newStream(failing{syscall.EPIPE}, false))
	err := o.Write(t.Context(), events(0, 1))[0]
	if err == nil || errors.Is(err, pipeline.ErrReaderGone) || pipeline.IsRefused(err) || !strings.Contains(err.Error(), "broken pipe") {
		t.Errorf("verdict %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) {
	return 0, &os.PathError{Op: "write", Path: "x", Err: f.err}
}

func TestAReaderThatPausesLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	o := open(t, "json", newStream(w, true))
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // nobody reads: the first Write gives up at once, the write goes on
	for _, err := range o.Write(ctx, events(0, 3)) {
		if err == nil || pipeline.IsRefused(err) {
			t.Errorf("verdict %v", err)
		}
	}
	for range 3 { // and so do those that wait for it
		if err := o.Write(ctx, events(0, 5))[0]; err == nil {
			t.Error("delivered")
		}
	}
	var printed []byte
	var reader sync.WaitGroup
	reader.Go(func() { printed, _ = io.ReadAll(r) })
	for _, err := range o.Write(t.Context(), events(0, 5)) {
		if err != nil {
			t.Error(err)
		}
	}
	if v := o.Write(t.Context(), events(5, 6)); v != nil {
		t.Error(v)
	}
	w.Close()
	reader.Wait()
	if string(printed) != text(0, 6) {
		t.Errorf("printed\n%s\nwant\n%s", printed, text(0, 6))
	}
}

// full takes so many bytes, then none until it is given more room.
type full struct {
	bytes.Buffer
	room int
}

func (f *full) Write(p []byte) (int, error) {
	n := min(len(p), f.room)
	f.room -= n
	f.Buffer.Write(p[:n])
	if n < len(p) {
		return n, &os.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}
	}
	return n, nil
}

func TestALineIsNeverPrintedHalfTwice(t *testing.T) {
	t.Parallel()
	whole := text(0, 4)
	for room := range len(whole) {
		f := &full{room: room}
		s := newStream(f, false)
		o, other := open(t, "json", s), open(t, "json", s)
		left := events(0, 4)
		for tries := 0; len(left) > 0; tries++ {
			if tries > 10 {
				t.Fatalf("room %d: no end", room)
			}
			var again []*pipeline.Message
			for i, err := range o.Write(t.Context(), left) {
				if err != nil {
					again = append(again, left[i])
					pipetest.WantError(t, err, "no space left")
				} else if !strings.Contains(f.String(), left[i].ID()) {
					t.Fatalf("room %d: %s is not there", room, left[i].ID())
				}
			}
			f.room = 3 // not even a line
			if left = again; tries > 2 {
				f.room = len(whole) * 2
				if room%2 == 1 { // another output uses the stream in between
					other.Write(t.Context(), events(9, 10))
				}
			}
			if tries > 0 && len(again) == 0 {
				break
			}
		}
		printed := strings.ReplaceAll(f.String(), text(9, 10), "")
		if printed != whole {
			t.Fatalf("room %d: printed\n%s\nwant\n%s", room, printed, whole)
		}
	}
}

func TestOutputsThatShareTheStreamDoNotMixLines(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	s := newStream(w, true)
	var writers sync.WaitGroup
	for range 2 {
		o := open(t, "json", s)
		for worker := range 4 {
			writers.Go(func() {
				for i := range 50 {
					if v := o.Write(t.Context(), events(1000*worker+i, 1000*worker+i+3)); v != nil {
						t.Error(v)
					}
				}
			})
		}
	}
	var reader sync.WaitGroup
	reader.Go(func() {
		lines := bufio.NewScanner(r)
		n := 0
		for ; lines.Scan(); n++ {
			if !strings.HasPrefix(lines.Text(), `{"event_time":`) || !strings.HasSuffix(lines.Text(), `}`) {
				t.Errorf("line %q", lines.Text())
			}
		}
		if n != 2*4*50*3 {
			t.Errorf("%d lines", n)
		}
	})
	writers.Wait()
	w.Close()
	reader.Wait()
	r.Close()
}
