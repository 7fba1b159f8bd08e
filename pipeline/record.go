package pipeline

import (
	"slices"
	"strings"
	"sync"
	"time"

	"catpaw/internal/redact"
)

// stripLength is of how many runs of a check the result is remembered.
const stripLength = 40

// CheckHealth is how the runs of one check go.
type CheckHealth struct {
	ID       string    `json:"id"`
	Plugin   string    `json:"plugin"`
	Source   string    `json:"at"`                 // file:line
	LooksAt  string    `json:"looks_at,omitempty"` // the first few of its targets, or its own name
	Interval float64   `json:"interval_seconds"`
	Began    time.Time `json:"last_run,omitzero"` // the run that goes on now, else the last
	Running  bool      `json:"running"`
	Took     float64   `json:"took_seconds"`     // of the last run that ended, as is all that follows
	Result   string    `json:"result,omitempty"` // the worst status of the run; "" before the first
	Results  int       `json:"results"`
	Bad      int       `json:"bad"`
	Error    string    `json:"error,omitempty"` // why the check could not do its work
	Next     time.Time `json:"next_run,omitzero"`
	Runs     int       `json:"runs"`
	Skipped  int       `json:"skipped_ticks"`
	Panics   int       `json:"panics"`
	// Recent are the results of the last runs, oldest first, a letter each: O, I, W, C, and ? where the
	// probe could judge nothing.
	Recent string `json:"recent"`
}

// record is what a runner remembers of its runs. The zero value is ready; it is safe for concurrent use.
type record struct {
	mu      sync.Mutex
	began   time.Time
	running bool
	took    time.Duration
	next    time.Time
	tally   tally
	err     string
	runs    int
	skipped int
	panics  int
	strip   [stripLength]Status // a ring: the run n lies at n modulo its length
}

// tally counts the results of one run.
type tally struct {
	results, bad int
	worst        Status // 0 = there were none
}

func (t *tally) add(status Status) {
	t.results++
	if status.IsBad() {
		t.bad++
	}
	t.worst = max(t.worst, status)
}

func (r *record) begin(at time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.began, r.running = at, true
}

func (r *record) end(t tally, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running, r.took, r.tally, r.err = false, time.Since(r.began), t, ""
	if err != nil {
		r.err = redact.Logins(err.Error())
	}
	if t.results == 0 { // it ran, and found nothing to tell of
		r.tally.worst = Ok
	}
	r.strip[r.runs%stripLength] = r.tally.worst
	r.runs++
}

func (r *record) due(next time.Time, skipped int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next = next
	r.skipped += skipped
}

func (r *record) panicked() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.panics++
}

func (r *record) health(check *Check) CheckHealth {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := CheckHealth{
		ID: check.ID, Plugin: check.Plugin, Source: check.Source, LooksAt: check.LooksAt, Interval: check.Interval.Seconds(),
		Began: r.began, Running: r.running, Took: r.took.Seconds(), Results: r.tally.results, Bad: r.tally.bad, Error: r.err,
		Next: r.next, Runs: r.runs, Skipped: r.skipped, Panics: r.panics,
	}
	if r.runs > 0 {
		h.Result = r.tally.worst.String()
	}
	const letters = "??OIWC" // by Status
	var recent strings.Builder
	for n := max(0, r.runs-stripLength); n < r.runs; n++ {
		recent.WriteByte(letters[r.strip[n%stripLength]])
	}
	h.Recent = recent.String()
	return h
}

// Checks is how each check is doing, in the order of their places in the configuration.
func (p *Pipeline) Checks() []CheckHealth {
	all := p.scheduler.health()
	slices.SortStableFunc(all, func(a, b CheckHealth) int { return compareSources(a.Source, b.Source) })
	return all
}

// compareSources orders file:line by file, then by number.
func compareSources(a, b string) int {
	fileA, lineA, _ := strings.Cut(a, ":")
	fileB, lineB, _ := strings.Cut(b, ":")
	if fileA != fileB {
		return strings.Compare(fileA, fileB)
	}
	if len(lineA) != len(lineB) {
		return len(lineA) - len(lineB)
	}
	return strings.Compare(lineA, lineB)
}

func (s *scheduler) health() []CheckHealth {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]CheckHealth, 0, len(s.runners))
	for _, r := range s.runners {
		all = append(all, r.record.health(r.check))
	}
	return all
}
