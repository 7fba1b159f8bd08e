package silence

import (
	"errors"
	"fmt"
	"maps"
	"slices"
)

// All silences are kept in memory, compared with every bad result, written whole with every change, and logged: so each
// has its bounds, and with mostSilences of them they are 10 MB at most.
const (
	mostText     = 500  // bytes of what people write for those who look
	mostLabels   = 50   // of one silence
	mostPatterns = 100  // of one silence, all labels together
	mostPattern  = 1024 // bytes of one, or of the name of a label
	mostMatch    = 8192 // bytes of all labels and patterns of one
)

// Brief judges the length of what somebody wrote for those who look.
func Brief(what, text string) error {
	if len(text) > mostText {
		return fmt.Errorf("%s: it has %d bytes; at most %d", what, len(text), mostText)
	}
	return nil
}

// judgeSize holds a silence within its bounds, before anything is made of its patterns.
func judgeSize(one *Silence) error {
	if err := errors.Join(Brief("reason", one.Reason), Brief("by", one.By), Brief("process.command", one.Process.Command)); err != nil {
		return err
	}
	if len(one.Match) > mostLabels {
		return fmt.Errorf("match: it has %d labels; at most %d", len(one.Match), mostLabels)
	}
	patterns, bytes := 0, 0
	for _, label := range slices.Sorted(maps.Keys(one.Match)) {
		for _, text := range append([]string{label}, one.Match[label]...) {
			if len(text) > mostPattern {
				return fmt.Errorf("match.%.40s: a name or pattern has %d bytes; at most %d", label, len(text), mostPattern)
			}
			bytes += len(text)
		}
		patterns += len(one.Match[label])
	}
	switch {
	case patterns > mostPatterns:
		return fmt.Errorf("match: it has %d patterns; at most %d", patterns, mostPatterns)
	case bytes > mostMatch:
		return fmt.Errorf("match: its labels and patterns have %d bytes; at most %d", bytes, mostMatch)
	}
	return nil
}
