package main

import (
	"fmt"
	"slices"
	"strings"

	"catpaw/internal/measure"
)

// intro says how to read the figures: with a quote, the newest stamp, and the machine.
const intro = `# What it costs

Made by %[1]smake bench%[1]s; do not edit. Last measured on %[2]s: %[3]s. What is older says so. The commit is the last one
that changed more than bench/.

Each figure is the median of five runs, which alternate with the runs of what it is compared with, now the one first and now
the other; so what else the machine does falls on both.

| unit | what it is |
|---|---|
| ms | time on the wall |
| ms-cpu | time of the processors, user and system. Of Start, Burst, Queue, FanOut, JetStream and Kafka it is that of catpaw's process from start to end, with the scripts that it ran, though ms of Start ends at the first probe. Of Page it is that of 20 s, of Resident/Checks that of one round, 10 s |
| ms-p50, ms-p99 | the median, and what 99 of 100 do not exceed: from a tick to the POST, or of Lateness, how late a check begins |
| ms-all | until all probes were seen; the first runs of many checks are spread over 300 ms on purpose |
| ms-last-live | until the last target that lives was seen |
| ms-over | what a round of pings took beyond count × interval; negative where it was done sooner |
| lost | packets that did not come back |
| events/s | of a burst, from the moment when its script begins; of a queue, from the first event that comes out |
| requests | POSTs that the sink was sent |
| MiB | resident memory of catpaw's own process. Of Resident, LiveAlerts and RestartWithAFullQueue it is what it holds when it is looked at, of all else the most in its whole life |
| MiB-added | the most that a run adds to a process that does other things, too |
| MiB-file | the size of the program's file |
| B/alert | memory of a live alert: what the process holds above one without alerts, shared out |
| allocs/run, B/run | what is allocated for one run of a check, in pieces and in bytes |
| goroutines | the fewest that were seen between two runs |
| files, threads | open files, sockets among them, and threads of the process |

The memory of bursts and queues is that of as many live alerts and events at once as the row says; it is given back afterwards.

Some settings are no defaults. Webhooks send 32 requests at a time in Burst and 16 in Latency (default: 4), and a thousand events in
one where the row says so (default: one). Pings go to as many targets at a time as are allowed (default: 100). Queues hold up to
10 million events (default: 100,000) in Burst, Queue, JetStream, Kafka, LiveAlerts and RestartWithAFullQueue.

A bound is what we set out to hold. It is judged at × 1, the size that the row names, unless the row says otherwise. One that is
BROKEN is explained below the table: where the time goes, and where the limit lies on this machine. %[1]smake bench-check%[1]s measures
the figures of the table again and fails where one is worse than its bound.

`

// report is RESULTS.md.
func report(found results) string {
	var text strings.Builder
	fmt.Fprintf(&text, intro, "`", found.newest(), machine())
	boundsTable(&text, found)
	limits(&text, rows, found)
	growthTable(&text, found)
	allFigures(&text, found)
	return text.String()
}

func boundsTable(text *strings.Builder, found results) {
	text.WriteString(`## Bounds

| what | compared with | unit | catpaw | compared | is | bound | | older |
|---|---|---|--:|--:|--:|--:|---|---|
`)
	for _, row := range rows {
		for i, b := range row.bounds {
			what, against := row.what, row.against
			if i > 0 {
				what, against = "", ""
			}
			v := row.verdict(found, b)
			fmt.Fprintf(text, "| %s | %s | %s | %s | %s | %s | %s | %s | %s |\n", cell(what), cell(against), b.unit,
				v.ours, v.bare, v.value, b, v.word(), found.older(row.keyAt(row.boundAt())))
		}
	}
}

// limits says of broken bounds where the limit lies.
func limits(text *strings.Builder, rows []row, found results) {
	for _, row := range rows {
		broken := slices.ContainsFunc(row.bounds, func(b bound) bool { return row.verdict(found, b).word() == "BROKEN" })
		if broken && row.limit != "" {
			fmt.Fprintf(text, "\n**%s**: %s\n", row.what, row.limit)
		}
	}
}

func growthTable(text *strings.Builder, found results) {
	text.WriteString(`
## How cost grows

What is measured at multiples of the size of the row. Growth is how much more one piece costs at the largest size than at
the smallest: 1 is linear, less is better, and 0.06, a sixteenth, is a cost that stays as it is. Only figures of the same
commit are compared. The same, as lines:

![Growth of time, memory and rate](growth.svg)

| what | unit |`)
	for _, scale := range measure.Scales {
		fmt.Fprintf(text, " × %d |", scale)
	}
	text.WriteString(" growth | compared, growth | older |\n|---|---|" + strings.Repeat("--:|", len(measure.Scales)+2) + "---|\n")
	for _, row := range rows {
		if !row.grows {
			continue
		}
		for i, unit := range row.units(found) {
			what := row.what
			if i > 0 {
				what = ""
			}
			fmt.Fprintf(text, "| %s | %s |", cell(what), unit)
			for _, key := range row.keys() {
				fmt.Fprintf(text, " %s |", shown(found[key].figures, unit))
			}
			fmt.Fprintf(text, " %s | %s | %s |\n", growth(row, found, unit), growth(row, found, unit+measure.Bare), found.older(row.keys()...))
		}
	}
	fmt.Fprintf(text, "\n%s\n", limitOfGrowth)
}

func allFigures(text *strings.Builder, found results) {
	text.WriteString("\n## All figures\n\n| benchmark | what | catpaw | compared | older |\n|---|---|---|---|---|\n")
	for _, row := range rows {
		for i, key := range row.keys() {
			what := ""
			if i == 0 {
				what = cell(row.words())
			}
			m, ok := found[key]
			if !ok {
				fmt.Fprintf(text, "| %s | %s | not measured | | |\n", key, what)
				continue
			}
			ours, bare := m.figures.sides()
			fmt.Fprintf(text, "| %s | %s | %s | %s | %s |\n", key, what, ours, bare, found.older(key))
		}
	}
}

// words are what is measured and what it is compared with.
func (r row) words() string {
	if r.against == "" {
		return r.what
	}
	return r.what + "; beside: " + r.against
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

func shown(f figures, unit string) string {
	if value, ok := f[unit]; ok {
		return short(value)
	}
	return "–"
}

// sides are the figures of catpaw and those of what it is compared with.
func (f figures) sides() (ours, bare figures) {
	for unit, value := range f {
		side := &ours
		if strings.HasSuffix(unit, measure.Bare) {
			side, unit = &bare, strings.TrimSuffix(unit, measure.Bare)
		}
		if *side == nil {
			*side = figures{}
		}
		(*side)[unit] = value
	}
	return ours, bare
}

// units are those of a row's own figures that a growth can be told of: time, memory, goroutines, how many in a second,
// and what is allocated.
func (r row) units(found results) (units []string) {
	ours, _ := found[r.keyAt(smallest.String())].figures.sides()
	for _, unit := range []string{"ms", "ms-cpu", "ms-p99", "events/s", "MiB", "MiB-added", "B/alert", "goroutines", "allocs/run", "B/run"} {
		if _, ok := ours[unit]; ok {
			units = append(units, unit)
		}
	}
	return units
}

// perPiece are the units that are told for each piece already: they stay the same where the cost is linear.
var perPiece = []string{"events/s", "B/alert", "allocs/run", "B/run"}

// growth is how many times as much one piece costs at the largest size as at the smallest, of the same program.
func growth(r row, found results, unit string) string {
	first, last := found[r.keyAt(smallest.String())], found[r.keyAt(largest.String())]
	small, one := first.figures[unit]
	large, many := last.figures[unit]
	if !one || !many || small <= 0 || large <= 0 || first.of.commit != last.of.commit {
		return "–"
	}
	return short(growthOf(strings.TrimSuffix(unit, measure.Bare), small, large, float64(largest)))
}

func growthOf(unit string, small, large, times float64) float64 {
	switch {
	case unit == "events/s":
		return small / large
	case slices.Contains(perPiece, unit):
		return large / small
	}
	return large / small / times
}
