package store

import (
	"time"

	"go.uber.org/zap"
)

// spell is a stretch of troubles with the disk, each within calmAfter of the end of the one before: a disk that is full
// again and again, for moments only, is one trouble to whoever reads the log, and no smaller one than a disk that stays full.
type spell struct {
	since time.Time // of the first
	times int       // that trouble began
	ended time.Time // the last one; zero while it goes on
	text  string    // of the last one
	told  map[string]bool
}

// calmAfter is for how long the disk must do its work for a spell to be over.
const calmAfter = time.Minute

// mostTold is of how many different troubles of a spell the log hears.
const mostTold = 10

// troubled notes a trouble. The log hears of it once as long as it stays the same, and once more when it first comes
// back: after the word that all is well again there must be another.
func (s *Store) troubled(err error) {
	text := explain(err)
	if s.trouble != nil && s.trouble.Text == text {
		return
	}
	began, since := s.trouble == nil, time.Now()
	if began {
		s.calm()
		if s.spell == nil {
			s.spell = &spell{since: since, told: map[string]bool{}}
		}
		s.spell.times++
		s.spell.ended = time.Time{}
	} else {
		since = s.trouble.Since
	}
	s.trouble, s.spell.text = &Trouble{Text: text, Since: since}, text
	if returns := began && s.spell.times == 2; returns || !s.spell.told[text] && len(s.spell.told) < mostTold {
		s.spell.told[text] = true
		again := zap.Skip()
		if s.spell.times > 1 {
			again = zap.Bool("again", true)
		}
		s.log.Error("cannot write the state to disk; it is kept in memory, and a crash now would lose it",
			zap.String("directory", s.config.Dir), zap.String("error", text), again)
	}
}

// mended notes that the disk does its work. Of a trouble that came back the log hears when it stays away.
func (s *Store) mended() {
	s.spell.ended = time.Now()
	if s.spell.times == 1 {
		s.log.Info("the state is on disk again", zap.Duration("after", time.Since(s.trouble.Since).Round(time.Millisecond)))
	}
	s.trouble = nil
}

// calm ends a spell that is over. Like all here but Recurring it is called with mu held.
func (s *Store) calm() {
	if s.spell == nil || s.trouble != nil || time.Since(s.spell.ended) < calmAfter {
		return
	}
	if s.spell.times > 1 {
		s.log.Info("the state is on disk again, and has been for a minute; before, the trouble came again and again",
			zap.Int("times", s.spell.times), zap.Duration("within", s.spell.ended.Sub(s.spell.since).Round(time.Millisecond)))
	}
	s.spell = nil
}

// Recurring returns a trouble that comes and goes, also while the disk works in between; else nil.
func (s *Store) Recurring() *Trouble {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.spell == nil || s.spell.times < 2 || s.trouble == nil && time.Since(s.spell.ended) >= calmAfter {
		return nil
	}
	return &Trouble{Text: s.spell.text, Since: s.spell.since, Times: s.spell.times}
}
