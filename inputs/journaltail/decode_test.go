package journaltail

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

const place = `"__CURSOR":"s=1;i=2","__REALTIME_TIMESTAMP":"1790000000000001"`

func TestAMessageInEveryFormOfJournalctl(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, json, want string }{
		{"text", `"plain"`, "plain"},
		{"escapes", `"a\"b\\c\/d\ne\tf\u0041"`, "a\"b\\c/d\ne\tfA"},
		{"characters beyond the first plane", `"\ud83d\ude00!"`, "😀!"},
		{"half a pair", `"\ud83dx"`, "\uFFFDx"},
		{"half a pair before another escape", `"\ud83d\u0041"`, "\uFFFD"},
		{"byte numbers", `[98,121, 116,101,255]`, "byte\xff"},
		{"no bytes", `[]`, ""},
		{"several values", `["one","two"]`, "one\ntwo"},
		{"several, one of bytes", `["one",[116,119,255]]`, "one\ntw\xff"},
		{"nothing", `null`, ""},
		{"a number", `7`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			line := `{ "X":["a",[1]],` + place + `, "MESSAGE" : ` + c.json + `,"Y":null}` + "\n"
			for how, r := range map[string]io.Reader{"whole": strings.NewReader(line), "byte by byte": iotest.OneByteReader(strings.NewReader(line))} {
				d := newDecoder(r)
				var e entry
				if err := d.next(&e); err != nil {
					t.Fatalf("%s: %v", how, err)
				}
				if string(e.message) != c.want || string(e.cursor) != "s=1;i=2" || e.time != 1790000000000001 {
					t.Errorf("%s: message %q, cursor %q, time %d", how, e.message, e.cursor, e.time)
				}
				if err := d.next(&e); err != io.EOF {
					t.Errorf("%s: the end is %v", how, err)
				}
			}
		})
	}
}

func TestEveryFieldIsFound(t *testing.T) {
	t.Parallel()
	var e entry
	err := newDecoder(strings.NewReader(`{` + place + `,"SYSLOG_IDENTIFIER":"a","_COMM":"b","_EXE":"c","_SYSTEMD_UNIT":"d","_PID":"e","SYSLOG_PID":"f","_HOSTNAME":"g"}`)).next(&e)
	got := string(e.identifier) + string(e.comm) + string(e.exe) + string(e.unit) + string(e.pid) + string(e.syslogPID) + string(e.host)
	if err != nil || got != "abcdefg" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestRemarksBetweenEntriesAreSkipped(t *testing.T) {
	t.Parallel()
	d := newDecoder(strings.NewReader("-- Logs begin at {x} --\n{" + place + `,"MESSAGE":"m"}` + "\n-- No entries --\n"))
	var e entry
	if err := d.next(&e); err != nil || string(e.message) != "m" {
		t.Fatalf("%q, %v", e.message, err)
	}
	if err := d.next(&e); err != io.EOF {
		t.Error(err)
	}
}

func TestOutputThatIsNone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ output, want string }{
		"a word":               {"hello\n", "no journal entry"},
		"an array":             {"[1]", "no journal entry"},
		"cut in a string":      {`{"MESSAGE":"abc`, "unexpected EOF"},
		"cut in an escape":     {`{"MESSAGE":"abc\u00`, "unexpected EOF"},
		"cut in bytes":         {`{"MESSAGE":[1,2`, "unexpected EOF"},
		"cut between fields":   {`{` + place, "unexpected EOF"},
		"an unknown escape":    {`{"MESSAGE":"\x"}`, "no journal entry"},
		"a byte beyond 255":    {`{"MESSAGE":[256]}`, "no journal entry"},
		"an object in a field": {`{"MESSAGE":{}}`, "no journal entry"},
		"arrays without end":   {`{"MESSAGE":` + strings.Repeat("[", 1000), "no journal entry"},
		"no colon":             {`{"MESSAGE","x"}`, "no journal entry"},
		"no cursor":            {`{"__REALTIME_TIMESTAMP":"1"}`, "without time or cursor"},
		"no time":              {`{"__CURSOR":"x"}`, "without time or cursor"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var e entry
			if err := newDecoder(strings.NewReader(c.output)).next(&e); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestOfAHugeMessageTheHeadIsKept(t *testing.T) {
	t.Parallel()
	huge := io.MultiReader(strings.NewReader(`{"MESSAGE":"head `), io.LimitReader(endless{}, 100<<20), strings.NewReader(`",`+place+"}\n"))
	d := newDecoder(huge)
	var e entry
	if err := d.next(&e); err != nil {
		t.Fatal(err)
	}
	if len(e.message) != maxMessage || !strings.HasPrefix(string(e.message), "head x") || cap(e.message) > 2*maxMessage || len(d.buf) != readBuffer {
		t.Errorf("%d bytes are kept of %d, in a buffer of %d", len(e.message), cap(e.message), len(d.buf))
	}
	if string(e.cursor) != "s=1;i=2" {
		t.Errorf("the cursor behind it is %q", e.cursor)
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	return len(b), nil
}

// However the output comes in, it must make no difference.
func FuzzDecoder(f *testing.F) {
	for _, seed := range []string{`{"MESSAGE":"a"}`, `{"MESSAGE":["a",[1,2]],"X":null}`, `{"MESSAGE":"\ud83d\ude00\n"}`, `{`, `-- x`, "{}{"} {
		f.Add(strings.Replace(seed, "{", "{"+place+",", 1))
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, output string) {
		var one, two entry
		err := newDecoder(strings.NewReader(output)).next(&one)
		again := newDecoder(iotest.OneByteReader(strings.NewReader(output))).next(&two)
		if (err == nil) != (again == nil) || string(one.message) != string(two.message) {
			t.Errorf("whole: %q, %v; byte by byte: %q, %v", one.message, err, two.message, again)
		}
	})
}

// What encoding/json writes, the decoder must read.
func FuzzText(f *testing.F) {
	f.Add("plain", "x")
	f.Add("\x00\n\t\"\\/<>&\u2028", "😀é")
	f.Fuzz(func(t *testing.T, message, other string) {
		encoded, err := json.Marshal(map[string]string{"MESSAGE": message, "OTHER": other, "__CURSOR": "c", "__REALTIME_TIMESTAMP": "1"})
		if err != nil {
			t.Fatal(err)
		}
		var e entry
		err = newDecoder(bytes.NewReader(encoded)).next(&e)
		if want := strings.ToValidUTF8(message, "\uFFFD"); err != nil || len(want) < maxMessage && strings.ToValidUTF8(string(e.message), "\uFFFD") != want && utf8.ValidString(message) {
			t.Errorf("%s: %q, %v", encoded, e.message, err)
		}
	})
}
