package main

import (
	"os"
	"testing"
	"testing/synctest"
	"time"
)

func TestASignalThatIsPassedOnIsNoSecond(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stop := make(chan os.Signal)
		var said string
		go onStop(stop, func() { said += "first " }, func() { said += "again" })
		for _, c := range []struct {
			after time.Duration
			want  string
		}{{0, "first "}, {10 * time.Millisecond, "first "}, {time.Second, "first again"}} {
			time.Sleep(c.after)
			stop <- os.Interrupt
			synctest.Wait()
			if said != c.want {
				t.Errorf("after %s: %q, want %q", c.after, said, c.want)
			}
		}
	})
}
