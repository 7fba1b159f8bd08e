package pattern

import "testing"

func TestAnExpressionIsCompiledOnce(t *testing.T) {
	t.Parallel()
	digits := Lazy(`\d+`)
	if !digits().MatchString("a1") || digits() != digits() {
		t.Error("it is not that expression, or another each time")
	}
}
