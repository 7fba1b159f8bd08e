package post

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"catpaw/internal/config"
	"catpaw/pipeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestTheLimiterNeverLetsMoreThroughInAnySpan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limit := new(Limiter).Allow(100, time.Second).Allow(1000, time.Minute)
		var mu sync.Mutex
		var sent []time.Time
		var workers sync.WaitGroup
		for range 4 {
			workers.Go(func() {
				for range 750 {
					if err := limit.Wait(context.Background()); err != nil {
						t.Error(err)
					}
					mu.Lock()
					sent = append(sent, time.Now())
					mu.Unlock()
				}
			})
		}
		start := time.Now()
		workers.Wait()
		for i := range sent {
			if i >= 100 && sent[i].Sub(sent[i-100]) < time.Second {
				t.Fatalf("more than 100 requests within %v", sent[i].Sub(sent[i-100]))
			}
			if i >= 1000 && sent[i].Sub(sent[i-1000]) < time.Minute {
				t.Fatalf("more than 1000 requests within %v", sent[i].Sub(sent[i-1000]))
			}
		}
		if took := time.Since(start); took > 2*time.Minute+10*time.Second {
			t.Errorf("3000 requests took %v: too careful", took)
		}
	})
}

func TestTheLimiterDoesNotBurnTheTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		limit := new(Limiter).Allow(1, 10*time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := limit.Wait(ctx); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		err := limit.Wait(ctx)
		if pipeline.RetryDelay(err) != 10*time.Second || pipeline.IsRefused(err) || time.Since(start) != 0 {
			t.Errorf("after %v: %v, wait %v", time.Since(start), err, pipeline.RetryDelay(err))
		}
		time.Sleep(8 * time.Second) // virtual
		ctx, cancel = context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := limit.Wait(ctx); err != nil || time.Since(start) != 10*time.Second {
			t.Errorf("waited until %v: %v", time.Since(start), err)
		}
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if err := limit.Wait(ctx); err == nil || time.Since(start) != 11*time.Second {
			t.Errorf("broken off after %v: %v", time.Since(start), err)
		}
	})
}

func TestNoLimiterHasNoLimit(t *testing.T) {
	t.Parallel()
	var limit *Limiter
	if err := limit.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "0": 0, "120": 2 * time.Minute, " 5 ": 5 * time.Second, "-5": 0, "1.5": 0, "soon": 0,
		"7200": time.Hour, "99999999999999999999999": time.Hour,
		"Mon, 23 Nov 2026 12:10:00 GMT": 10 * time.Minute, "Mon, 23 Nov 2026 11:00:00 GMT": 0, "Wed, 23 Nov 2033 11:00:00 GMT": time.Hour,
	} {
		if got := retryAfter(header, now); got != want {
			t.Errorf("%q: %v, want %v", header, got, want)
		}
	}
}

func TestBadURLsAreToldWithoutShowingThem(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"http://user:hunter2/x@host/": "this is no URL: ",
		"http://host/%zz?hunter2":     "this is no URL: ",
		"host/path?hunter2":           "no URL with a host",
		"http:///hunter2":             "no URL with a host",
		"ftp://hunter2@host/":         `scheme "ftp" is neither http nor https`,
	} {
		_, err := ParseURL("url", config.Secret(text))
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", text, err)
		}
	}
	if u, err := ParseURL("url", " HTTPS://host/x "); err != nil || u.String() != "https://host/x" {
		t.Errorf("%v, %v", u, err)
	}
}
