package journaltail

import (
	"fmt"
	"strings"
	"testing"
)

func TestMemoryStaysBounded(t *testing.T) {
	t.Parallel()
	m, known := recall(nil)
	if known {
		t.Fatal("nothing is known")
	}
	for i := range 3 * maxPositions {
		m.Positions[fmt.Sprint(i)] = position{Cursor: strings.Repeat("c", 150), Reached: int64(i)}
	}
	for i := range 1000 {
		var found matches
		found.max = maxShown
		found.add(int64(i), int64(i), strings.Repeat("x", maxText))
		m.Episode.add(&found, maxShown)
	}
	data := m.encode()
	again, known := recall(data)
	if !known || len(again.Positions) != maxPositions || again.Positions["2999"].Reached != 2999 || len(data) > 300<<10 {
		t.Errorf("%d positions, %d bytes", len(again.Positions), len(data))
	}
	lines := again.Episode.Lines
	if again.Episode.Total != 1000 || len(lines) != maxTexts/maxText || lines[len(lines)-1].Time != 999 {
		t.Errorf("of %d lines %d are kept", again.Episode.Total, len(lines))
	}
}

func TestMemoryOfAnotherVersionIsAsNone(t *testing.T) {
	t.Parallel()
	for _, data := range []string{"", "garbage", "{}", `{"v":2,"began":5}`} {
		if m, known := recall([]byte(data)); known || m.Began != 0 || m.Positions == nil || m.Version != memoryVersion {
			t.Errorf("%q: %+v", data, m)
		}
	}
}

func TestOfAFloodTheLatestLinesAreKept(t *testing.T) {
	t.Parallel()
	found := matches{max: 3}
	for i := range int64(1000) {
		found.add(1000-i, 500, fmt.Sprint(i))
	}
	var e episode
	e.add(&found, 3)
	if e.Total != 1000 || e.Since != 1 || e.Fresh != 500 || cap(found.lines) > 100 {
		t.Errorf("%+v, capacity %d", e, cap(found.lines))
	}
	if got := fmt.Sprint(e.Lines); got != "[{998 2} {999 1} {1000 0}]" {
		t.Errorf("kept: %s", got)
	}
}
