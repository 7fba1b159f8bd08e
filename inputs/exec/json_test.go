//go:build unix

package exec

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"catpaw/pipeline"
	"catpaw/pipeline/pipetest"
)

// documented is the sample that the original's documentation shows, trailing comma and all.
const documented = `[
    {
        "event_status": "Warning",
        "labels": {
            "check": "oracle space usage",
            "instance": "10.1.2.3:1521",
        },
        "title_rule": "$check",
        "description": "space usage is 90%"
    }
]`

const (
	ok1  = `{"event_status":"Ok","labels":{"check":"one"}}`
	bad2 = `{"event_status":"Critical","labels":{"check":"two"},"description":"d"}`
)

func TestWhatAScriptPrints(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		output string
		events string // check labels, in order
		fault  string // "" = the command worked
	}{
		"the documented sample with a trailing comma": {documented, "oracle space usage", ""},
		"nothing":                                        {"", "", ""},
		"an empty array":                                 {"[]", "", ""},
		"blank lines":                                    {"\n \n", "", ""},
		"null":                                           {"null\n", "", ""},
		"null elements":                                  {"[null," + ok1 + ",null]", "one", ""},
		"a byte order mark":                              {"\ufeff[" + ok1 + "]", "one", ""},
		"a single object":                                {ok1, "one", ""},
		"one object a line":                              {ok1 + "\n" + bad2 + "\n", "one two", ""},
		"several arrays":                                 {"[" + ok1 + "]\n[" + bad2 + "]", "one two", ""},
		"comments everywhere":                            {"// [\n[ /* ] */ " + `{"event_status":"Ok", // "{` + "\n" + `"labels":{"check":"one"}} /**/, # ]`, "one", "event 2"},
		"a comma too many behind the last event":         {"[" + ok1 + ",]", "one", ""},
		"brackets and quotes in strings":                 {`[{"event_status":"Ok","labels":{"check":"a]}\"\\"}},` + ok1 + `]`, `a]}"\ one`, ""},
		"numbers and truth as labels":                    {`[{"event_status":"ok","labels":{"check":1.50,"b":true,"c":null,"d":"x"}}]`, "1.50", ""},
		"an unknown field and a key of its own":          {`[{"alert_key":"x","more":[{}],"event_status":"INFO","labels":{"check":"c"}}]`, "c", ""},
		"output cut in an event":                         {"[" + ok1 + "," + bad2[:30], "one", "the output is broken: it ends in the middle of event 2"},
		"output cut between events":                      {"[" + ok1 + ",", "one", "it ends after event 1 although the array is not closed"},
		"output cut in a comment":                        {"[" + ok1 + "/* ", "one", "comment that is not closed"},
		"text in front":                                  {"Connecting...\n[" + ok1 + "]", "", `instead of a JSON array there is something that is no event: "Connecting...\n[{`},
		"text behind":                                    {"[" + ok1 + "]\ndone", "one", `behind event 1, the last one, there is something that is no event: "done`},
		"a closing bracket too many":                     {"[" + ok1 + "]]", "one", `no event: "]`},
		"an event without status":                        {`[{"labels":{"check":"c"}},` + ok1 + `]`, "one", "event 1: event_status is missing"},
		"an event with a status that does not exist":     {`[` + ok1 + `,{"event_status":"Fatal","labels":{"check":"c"}},` + bad2 + `]`, "one two", `event 2: event_status: "Fatal" is not an event status`},
		"an event without labels":                        {`[{"event_status":"Ok"},` + ok1 + `]`, "one", "event 1: labels are missing"},
		"a nested label":                                 {`[{"event_status":"Ok","labels":{"check":["c"]}},` + ok1 + `]`, "one", "event 1: labels.check: a label must be"},
		"labels of the wrong type":                       {`[{"event_status":"Ok","labels":"c"},` + ok1 + `]`, "one", "event 1: labels: expected an object, not string"},
		"a time that is text":                            {`[{"event_time":"1","event_status":"Ok","labels":{"check":"c"}}]`, "", "event 1: event_time: expected a number of seconds, not string"},
		"a time in milliseconds":                         {`[{"event_time":1734339605000,"event_status":"Ok","labels":{"check":"c"}}]`, "", "event 1: event_time 1734339605000 is not in seconds"},
		"a description that is no text":                  {`[{"event_status":"Ok","labels":{"check":"c"},"description":7}]`, "", "event 1: description: expected a string, not number"},
		"an attr that is nested":                         {`[{"event_status":"Ok","labels":{"check":"c"},"attrs":{"a":{}}}]`, "", "event 1: attrs.a: a measured value"},
		"an element that is no object":                   {`[1,"x",[` + ok1 + `],` + ok1 + `]`, "one", "event 2: expected an object, not string"},
		"one element that is no JSON":                    {`[{"event_status" "Ok"},` + ok1 + `]`, "one", "event 1: it is not JSON"},
		"an element that is too long":                    {`[{"event_status":"Ok","labels":{"check":"c"},"description":"` + strings.Repeat("x", 3<<20) + `"},` + ok1 + `]`, "one", "event 1: it is longer than 1048576 bytes"},
		"an element that is nested too deep":             {`[` + strings.Repeat(`{"a":`, 5000) + strings.Repeat(`}`, 5000) + `,` + ok1 + `]`, "one", "event 1: its brackets are nested more than 100 deep"},
		"many faults are counted, and not all are shown": {"[" + strings.Repeat("{},", 12) + "]", "", "**more faults**: 7"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "output")
			if err := os.WriteFile(path, []byte(c.output), 0o600); err != nil {
				t.Fatal(err)
			}
			events, end, err := pipetest.GatherEnd(t, probe(t, "commands = [['cat', '%s']]", path))
			if err != nil {
				t.Fatal(err)
			}
			var checks []string
			for _, e := range events {
				if check := e.Labels.Get("check"); check != failed {
					checks = append(checks, check)
				}
			}
			if got := strings.Join(checks, " "); got != c.events {
				t.Errorf("events %q, want %q", got, c.events)
			}
			e := outcomeOf(t, events)
			if (c.fault == "") != (e.Status == pipeline.Ok) || (c.fault != "") != end.Incomplete["cat "+path] {
				t.Errorf("status %v, end %+v, description %s", e.Status, end, e.Description)
			}
			wantText(t, e.Description, c.fault)
		})
	}
}

func TestAnEventIsTakenOverField(t *testing.T) {
	t.Parallel()
	e := pipetest.Find(t, pipetest.Gather(t, inline(t,
		`echo "[{\"event_time\":1734339605,\"event_status\":\"warning\",\"labels\":{\"check\":\"c\",\"b\":\"d\"},\"title_rule\":\"[TPL]\${b}\",\"description\":\"text\",\"attrs\":{\"z\":1.5,\"a\":\"x\",\"n\":null,\"t\":true}}]"`, "")), "c", "")
	if e.Time != 1734339605 || e.Status != pipeline.Warning || e.Title() != "d" || e.Description != "text" ||
		attr(e, "z") != 1.5 || attr(e, "a") != "x" || attr(e, "t") != true || len(e.Attrs) != 3 || e.Source == "" {
		t.Errorf("event %+v", e)
	}
}

func TestExitStatusAndStderrGoIntoBadEventsAndAreNoFault(t *testing.T) {
	t.Parallel()
	events, end, _ := pipetest.GatherEnd(t, inline(t, "echo '["+ok1+","+bad2+"]'; echo one >&2; echo two >&2; exit 2", ""))
	if outcomeOf(t, events).Status != pipeline.Ok || len(end.Incomplete) != 0 {
		t.Error("valid output counts, whatever the exit status and stderr say")
	}
	if e := pipetest.Find(t, events, "two", ""); e.Description != "d\nended with: exit status 2\nstderr: one / two" {
		t.Errorf("bad event says %q", e.Description)
	}
	if e := pipetest.Find(t, events, "one", ""); e.Description != "" {
		t.Errorf("Ok event says %q", e.Description)
	}
	wantText(t, outcomeOf(t, events).Description, "the command worked\nended with: exit status 2\nstderr: one / two")
	if got := attr(outcomeOf(t, events), "exit_status"); got != int64(2) {
		t.Errorf("exit_status %v", got)
	}
}

func TestNotesAreMarkdownWhereTheDescriptionIsAndAlwaysFit(t *testing.T) {
	t.Parallel()
	notes := []note{{"stderr", "x"}}
	if got := annotate("[MD]\n- **a**: b", notes); got != "[MD]\n- **a**: b\n- **stderr**: x" {
		t.Errorf("description %q", got)
	}
	if got := annotate(strings.Repeat("y", 5000), notes); len(got) > pipeline.MaxDescription || !strings.HasSuffix(got, "\nstderr: x") {
		t.Errorf("%d bytes: %q", len(got), got)
	}
	if got := annotate("", notes); got != "stderr: x" {
		t.Errorf("description %q", got)
	}
}

func TestFailureWithoutAnyOutputIsAFault(t *testing.T) {
	t.Parallel()
	events, end, _ := pipetest.GatherEnd(t, inline(t, "echo cannot connect >&2; exit 7", ""))
	e := outcomeOf(t, events)
	wantText(t, e.Description, "printed nothing and ended with exit status 7", "**stderr**: cannot connect", "run it by hand")
	if !end.Incomplete[e.Source] {
		t.Errorf("end %+v", end)
	}
	if e := outcomeOf(t, pipetest.Gather(t, inline(t, "echo '[]'; exit 7", ""))); e.Status != pipeline.Ok {
		t.Errorf("an empty array is output: %s", e.Description)
	}
	if e := outcomeOf(t, pipetest.Gather(t, inline(t, "echo warn >&2", ""))); e.Status != pipeline.Ok {
		t.Errorf("stderr alone is no fault: %s", e.Description)
	}
}

func TestLongStderrIsCut(t *testing.T) {
	t.Parallel()
	e := outcomeOf(t, pipetest.Gather(t, inline(t, "head -c 100000 /dev/zero | tr '\\000' x >&2; exit 1", "")))
	wantText(t, e.Description, "xxx … (99488 bytes left out)")
	if len(e.Description) > 1000 {
		t.Errorf("%d bytes", len(e.Description))
	}
}

func TestMoreEventsThanAreHeldAllArrive(t *testing.T) {
	t.Parallel()
	events := pipetest.Gather(t, inline(t, `echo [; i=0; while [ $i -lt 2500 ]; do echo "{\"event_status\":\"Info\",\"labels\":{\"check\":\"$i\"}},"; i=$((i+1)); done; echo ]`, ""))
	if len(events) != 2501 || attr(outcomeOf(t, events), "events") != int64(2500) {
		t.Errorf("%d events", len(events))
	}
}
