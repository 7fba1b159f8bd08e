package pattern

import "testing"

func TestAnExpressionIsCompiledOnce(t *testing.T) {
	t.Parallel()
	digits := Lazy(`\d+`)
	if first, again := digits(), digits(); !first.MatchString("a1") || first != again {
		t.Error("it is not that expression, or another each time")
	}
}
