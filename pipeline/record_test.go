package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestTheRunsOfACheckAreRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		runs := 0
		p := start([]*Check{every(10*time.Second, func(_ context.Context, r *Report) error {
			runs++
			switch runs {
			case 1:
				r.Add(Event{Status: Ok, Labels: L("check", "c")})
			case 2:
				r.Add(Event{Status: Unknown, Labels: L("check", "c")})
			case 3:
				panic("oh no")
			case 4:
				time.Sleep(25 * time.Second) // two ticks late
				r.Add(Event{Status: Critical, Labels: L("check", "c")})
				r.Add(Event{Status: Info, Labels: L("check", "d")})
				return errors.New("half of it failed")
			}
			return nil
		})})
		time.Sleep(32 * time.Second)
		if h := p.Checks()[0]; !h.Running || h.Runs != 3 || h.Recent != "O?W" || h.Panics != 1 || h.Error == "" {
			t.Errorf("in the fourth run: %+v", h)
		}
		time.Sleep(26 * time.Second)
		if h := p.Checks()[0]; h.Running || h.Recent != "O?WC" || h.Took != 25 || h.Results != 3 || h.Bad != 3 || h.Skipped != 2 ||
			h.Result != "Critical" || h.Error != "half of it failed" || !h.Next.After(time.Now()) {
			t.Errorf("after the fourth run: %+v", h)
		}
		time.Sleep(time.Hour)
		if h := p.Checks()[0]; len(h.Recent) != stripLength || h.Error != "" || h.Result != "Ok" {
			t.Errorf("after an hour: %+v", h)
		}
		stop(p)
	})
}

func TestChecksComeInTheOrderOfTheirPlaces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ a, b string }{{"a.toml:9", "b.toml:1"}, {"a.toml:2", "a.toml:10"}, {"a.toml:1", "a.toml:2"}} {
		if compareSources(c.a, c.b) >= 0 || compareSources(c.b, c.a) <= 0 {
			t.Errorf("%s does not come before %s", c.a, c.b)
		}
	}
}

// TestManyResultsGoOnInOrder, and are counted, held and completed as single ones are.
func TestManyResultsGoOnInOrder(t *testing.T) {
	t.Parallel()
	for _, recalls := range []bool{false, true} {
		var got []string
		sends := 0
		take := func(results []Result) {
			sends++
			for _, one := range results {
				if one.Event != nil {
					got = append(got, one.Event.Description+one.Event.TitleRule)
				}
			}
		}
		report := NewReport(&Run{Check: &Check{ID: "exec/1"}}, take)
		if recalls {
			report.Recall()
		}
		var events []Event
		var want []string
		for i := range 3*AtOnce + 1 {
			events = append(events, Event{Status: Warning, Description: fmt.Sprint(i)})
			want = append(want, fmt.Sprint(i)+"$check")
		}
		report.AddAll(events)
		report.AddAll(nil)
		wantSends := 4
		if recalls {
			wantSends = 1
			report.finish(RunEnd{Well: true}, true)
		}
		if !slices.Equal(got, want) || sends != wantSends || report.counted() != (tally{results: len(want), bad: len(want), worst: Warning}) {
			t.Errorf("recalls %v: %d sends, %v, %+v", recalls, sends, got, report.counted())
		}
	}
}
