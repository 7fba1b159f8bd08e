package exec

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

// read splits output and returns the checks found and the first fault.
func read(r io.Reader) (checks []string, fault error) {
	note := func(err error) {
		if fault == nil {
			fault = err
		}
	}
	s := &splitter{r: r}
	note(s.each(func(e pipeline.Event) { checks = append(checks, e.Labels.Get("check")) }, func(_ int, err error) { note(err) }))
	return checks, fault
}

// tenThousand is what a big script prints.
func tenThousand() []byte {
	var b bytes.Buffer
	b.WriteString("[\n")
	for i := range 10_000 {
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, `{"event_time":1734339605,"event_status":"Ok","labels":{"check":"disk usage","mount":"/data/%d","device":"/dev/sd%d"},"title_rule":"$check","description":"[MD]\n- **used**: %d%%"}`, i, i, i%100)
	}
	b.WriteString("\n]\n")
	return b.Bytes()
}

func TestHowTheOutputComesInMakesNoDifference(t *testing.T) {
	t.Parallel()
	output := "\ufeff// c\n[null, {\"event_status\":\"Ok\",\"labels\":{\"check\":\"a\\\"}\"}} /* ] */,\n" +
		`{"event_status":"Info","labels":{"check":"b",},}, 7, null] {"event_status":"Ok","labels":{"check":"c"}}`
	checks, fault := read(strings.NewReader(output))
	if fmt.Sprint(checks) != `[a"} b c]` || fault == nil {
		t.Fatalf("checks %q, fault %v", checks, fault)
	}
	for name, r := range map[string]io.Reader{
		"byte by byte":                   iotest.OneByteReader(strings.NewReader(output)),
		"in halves":                      iotest.HalfReader(strings.NewReader(output)),
		"with the end in the last bytes": iotest.DataErrReader(strings.NewReader(output)),
	} {
		again, second := read(r)
		if fmt.Sprint(again) != fmt.Sprint(checks) || fmt.Sprint(second) != fmt.Sprint(fault) {
			t.Errorf("%s: checks %q, fault %v", name, again, second)
		}
	}
}

func TestTheBufferStaysBounded(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]io.Reader{
		"many elements": bytes.NewReader(tenThousand()),
		"one that does not end": io.LimitReader(io.MultiReader(strings.NewReader(`[{"a":"`),
			readerFunc(func(b []byte) (int, error) { return copy(b, bytes.Repeat([]byte("x"), len(b))), nil })), 20<<20),
	} {
		s := &splitter{r: r}
		s.each(func(pipeline.Event) {}, func(int, error) {})
		if len(s.buf) > 2*maxElement {
			t.Errorf("%s: buffer of %d bytes", name, len(s.buf))
		}
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

func FuzzSplitter(f *testing.F) {
	for _, seed := range []string{"[]", `[{"event_status":"Ok","labels":{"check":"a"}},null]`, `[{"a":"\"}"} /* ] */,]//`, "{}{", "[1,[2,{}],\"x\"]"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, output string) {
		checks, fault := read(strings.NewReader(output))
		again, second := read(iotest.OneByteReader(strings.NewReader(output)))
		if fmt.Sprint(checks) != fmt.Sprint(again) || (fault == nil) != (second == nil) {
			t.Errorf("whole: %q, %v; byte by byte: %q, %v", checks, fault, again, second)
		}
		var events []*wireEvent[map[string]string]
		if json.Unmarshal([]byte(output), &events) != nil {
			return
		}
		want := 0
		for _, e := range events {
			if e == nil {
				continue
			}
			if _, err := makeEvent(e); err == nil {
				want++
			}
		}
		if len(checks) != want {
			t.Errorf("%d events, but encoding/json finds %d", len(checks), want)
		}
	})
}

// BenchmarkDecode10000 is the streaming decoder; compare with BenchmarkUnmarshal10000.
func BenchmarkDecode10000(b *testing.B) {
	output := tenThousand()
	b.SetBytes(int64(len(output)))
	b.ReportAllocs()
	for b.Loop() {
		if checks, fault := read(bytes.NewReader(output)); len(checks) != 10_000 || fault != nil {
			b.Fatal(len(checks), fault)
		}
	}
	b.ReportMetric(10_000*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkGather10000 is the whole way of 10,000 events, from a process to the report.
func BenchmarkGather10000(b *testing.B) {
	path := filepath.Join(b.TempDir(), "events.json")
	if err := os.WriteFile(path, tenThousand(), 0o600); err != nil {
		b.Fatal(err)
	}
	p := New()
	pipetest.Options(b, "commands = [['cat', '"+path+"']]", p)
	b.ReportAllocs()
	for b.Loop() {
		if events, _, err := pipeline.Look(b.Context(), pipetest.Check(p)); len(events) != 10_001 || err != nil {
			b.Fatal(len(events), err)
		}
	}
	b.ReportMetric(10_000*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkUnmarshal10000 is encoding/json on the whole array at once.
func BenchmarkUnmarshal10000(b *testing.B) {
	output := tenThousand()
	b.SetBytes(int64(len(output)))
	b.ReportAllocs()
	for b.Loop() {
		var events []wireEvent[map[string]string]
		if err := json.Unmarshal(output, &events); err != nil || len(events) != 10_000 {
			b.Fatal(len(events), err)
		}
	}
	b.ReportMetric(10_000*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}
