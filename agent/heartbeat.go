package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"catpaw/agent/api"
	"catpaw/internal/config"
)

// heartbeatOptions are [heartbeat].
type heartbeatOptions struct {
	// http or https; proxies as in the environment
	URL config.Secret `toml:"url"`
	// GET, HEAD, POST or PUT
	Method string `toml:"method"`
	// between two beats
	Interval config.Duration `toml:"interval"`
	// of one
	Timeout config.Duration `toml:"timeout"`
}

func defaultHeartbeat() heartbeatOptions {
	return heartbeatOptions{Method: http.MethodGet, Interval: config.Duration(time.Minute), Timeout: config.Duration(10 * time.Second)}
}

// Init judges the options.
func (o *heartbeatOptions) Init() error {
	var errs []error
	target, err := url.Parse(o.URL.Reveal())
	switch {
	case o.URL == "":
		errs = append(errs, config.Field("url", "it is missing: say whom to tell that catpaw lives"))
	case err != nil || target.Host == "" || target.Scheme != "http" && target.Scheme != "https":
		errs = append(errs, config.Field("url", `it must begin with http:// or https://`))
	}
	methods := []string{http.MethodGet, http.MethodPost, http.MethodHead, http.MethodPut}
	if !slices.Contains(methods, o.Method) {
		errs = append(errs, config.Field("method", "%q is not one of GET, POST, HEAD, PUT%s", o.Method, config.DidYouMean(o.Method, methods)))
	}
	if o.Interval.Std() < time.Second {
		errs = append(errs, config.Field("interval", "%s is too short: at least 1s", o.Interval))
	}
	if o.Timeout <= 0 {
		errs = append(errs, config.Field("timeout", "it must be more than 0"))
	}
	return errors.Join(errs...)
}

// heart tells a watchdog elsewhere, again and again, that the agent lives and does its work; when it does not, it
// falls silent, and the watchdog tells people.
type heart struct {
	options chan heartbeatOptions // new ones; a zero URL stops it
	unwell  func(time.Time) error
	log     *zap.Logger
	said    string // what is wrong, as the log has it

	mu     sync.Mutex
	status *api.Heartbeat
}

// health is how it goes; nil where no heartbeat is configured. Any goroutine may ask.
func (h *heart) health() *api.Heartbeat {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.status == nil {
		return nil
	}
	now := *h.status
	return &now
}

// note keeps what became of a beat; configured is false where there is none to make.
func (h *heart) note(configured bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case !configured:
		h.status = nil
		return
	case h.status == nil:
		h.status = &api.Heartbeat{}
	}
	h.status.Error = ""
	if err != nil {
		h.status.Error = err.Error()
	} else {
		h.status.LastBeat = time.Now()
	}
}

func newHeart(unwell func(time.Time) error, log *zap.Logger) *heart {
	return &heart{options: make(chan heartbeatOptions, 1), unwell: unwell, log: log}
}

// use replaces the options. One goroutine at a time may call it.
func (h *heart) use(o heartbeatOptions) {
	select {
	case <-h.options: // nobody has seen those yet
	default:
	}
	h.options <- o
}

// beat runs until ctx ends.
func (h *heart) beat(ctx context.Context) {
	var o, news heartbeatOptions
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	client := &http.Client{Transport: http.DefaultTransport.(*http.Transport).Clone()}
	defer client.CloseIdleConnections()
	for {
		select {
		case <-ctx.Done():
			return
		case news = <-h.options:
			if news != o { // a reload that changed nothing here beats no sooner
				o = news
				timer.Reset(0)
			}
			continue
		case <-timer.C:
		}
		if o.URL == "" {
			h.note(false, nil)
			continue
		}
		timer.Reset(o.Interval.Std())
		what, err := "the heartbeat is withheld", h.unwell(time.Now())
		if err == nil {
			what, err = "the heartbeat does not get through", send(ctx, client, o)
		}
		h.note(true, err)
		h.tell(what, err)
	}
}

// tell logs what is wrong once, and when it is over.
func (h *heart) tell(what string, err error) {
	switch {
	case err == nil && h.said != "":
		h.log.Info("the heart beats again")
		h.said = ""
	case err != nil && what != h.said: // its text may differ at every try
		h.log.Error(what, zap.Error(err))
		h.said = what
	}
}

// send makes one beat. Its error shows no more of the URL than the host, for the path is often a secret.
func send(ctx context.Context, client *http.Client, o heartbeatOptions) error {
	ctx, cancel := context.WithTimeout(ctx, o.Timeout.Std())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, o.Method, o.URL.Reveal(), nil)
	if err != nil {
		return errors.New("the url cannot be used")
	}
	response, err := client.Do(request)
	if err != nil {
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err
		}
		if strings.Contains(err.Error(), request.URL.Host) {
			return err
		}
		return fmt.Errorf("%s: %w", request.URL.Host, err)
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 4096))
	if response.StatusCode >= 300 {
		return fmt.Errorf("%s answers %s", request.URL.Host, response.Status)
	}
	return nil
}
