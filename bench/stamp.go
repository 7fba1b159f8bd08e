package main

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"time"
)

// stamp tells when something was measured, and of what. That of a row from before there were stamps is empty.
type stamp struct {
	at     string // RFC 3339, in UTC
	commit string // the last one that changed what is measured; with -dirty where the files were not its
}

// now is taken before each figure, and after it. This program and its texts do not count: they are not what is measured,
// and with each new sentence all figures would be called older.
func now() stamp {
	const all, butThis = ".", ":!bench"
	commit := said("git", "log", "-1", "--format=%h", "--", all, butThis)
	if said("git", "status", "--porcelain", "--", all, butThis) != "" {
		commit += dirty
	}
	return stamp{time.Now().UTC().Format(time.RFC3339), commit}
}

// dirty is what a commit is called of which the files are not those.
const dirty = "-dirty"

// until is the stamp of what was measured from then until after: it takes long enough for somebody to commit meanwhile.
func (s stamp) until(after stamp) stamp {
	if s.commit != after.commit && !strings.HasSuffix(s.commit, dirty) {
		s.commit += dirty
	}
	return s
}

func (s stamp) String() string {
	if s == (stamp{}) {
		return "some time before"
	}
	day, _, _ := strings.Cut(s.at, "T")
	return day + ", commit " + s.commit
}

// newest is the stamp of what was measured last.
func (found results) newest() (last stamp) {
	for _, m := range found {
		last = slices.MaxFunc([]stamp{last, m.of}, func(a, b stamp) int { return cmp.Compare(a.at, b.at) })
	}
	return last
}

// older names the stamps of these figures that are others than the newest; "" where there are none.
func (found results) older(keys ...string) string {
	var all []string
	for _, key := range keys {
		if m, ok := found[key]; ok {
			all = append(all, m.of.String())
		}
	}
	slices.Sort(all)
	newest := found.newest().String()
	return strings.Join(slices.DeleteFunc(slices.Compact(all), func(s string) bool { return s == newest }), "; ")
}

// machine is what the report was written on.
func machine() string {
	model := "unknown processors"
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			model = strings.TrimSpace(value)
		}
	}
	return fmt.Sprintf("%s, %d processors, %s, %s, %s", model, runtime.NumCPU(), said("uname", "-sr"), runtime.Version(), runtime.GOARCH)
}

// said is what a command says; nothing where it fails.
func said(name string, args ...string) string {
	out, _ := exec.Command(name, args...).Output()
	return strings.TrimSpace(string(out))
}
