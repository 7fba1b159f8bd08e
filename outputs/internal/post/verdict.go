package post

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"catpaw/pipeline"
)

// maxRetryAfter bounds what a sink may ask for: an alert that waits longer is of no use.
const maxRetryAfter = time.Hour

// mendable are the 4xx that say nothing against the event: someone will mend the key, the path, the
// proxy or the load, and the same event will do. Every other 4xx refuses the event for good.
var mendable = map[int]bool{
	http.StatusUnauthorized:       true,
	http.StatusForbidden:          true,
	http.StatusNotFound:           true,
	http.StatusMethodNotAllowed:   true,
	http.StatusProxyAuthRequired:  true,
	http.StatusRequestTimeout:     true,
	http.StatusMisdirectedRequest: true,
	http.StatusLocked:             true,
	http.StatusTooEarly:           true,
	http.StatusTooManyRequests:    true,
}

// verdict judges a response by its status: nil for 2xx.
func (c *Client) verdict(r *http.Response, answer *Answer, now time.Time) error {
	switch status := r.StatusCode; {
	case status >= 200 && status < 300:
		return nil
	case status >= 300 && status < 400:
		return c.fault("%s answered %s%s: give the address where it leads, catpaw does not follow redirects",
			c.name(), statusText(status), leadsTo(r))
	case status >= 400 && status < 500 && !mendable[status] && !c.wantsTLS(status, answer.Body):
		return pipeline.Refused(c.answered(status, answer))
	default:
		err := c.answered(status, answer)
		if wait := retryAfter(r.Header.Get("Retry-After"), now); wait > 0 {
			return pipeline.RetryAfter(err, wait)
		}
		return err
	}
}

// wantsTLS recognises the 400 of a server that speaks TLS where the URL says http: a slip in the
// configuration, no fault of the event.
func (c *Client) wantsTLS(status int, body []byte) bool {
	return status == http.StatusBadRequest && c.target.Scheme == "http" &&
		bytes.Contains(bytes.ToLower(body), []byte("http request")) && bytes.Contains(bytes.ToLower(body), []byte("https"))
}

func (c *Client) answered(status int, answer *Answer) error {
	if excerpt := answer.Excerpt(); excerpt != "" {
		return c.fault("%s answered %s: %s", c.name(), statusText(status), excerpt)
	}
	return c.fault("%s answered %s", c.name(), statusText(status))
}

// Unhappy returns an error about an answer with status 2xx whose body says that it went wrong.
func (a *Answer) Unhappy(format string, args ...any) error {
	return a.client.fault("%s answered, but %s", a.client.name(), fmt.Sprintf(format, args...))
}

func statusText(status int) string {
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}

// leadsTo names where a redirect leads, without user and query.
func leadsTo(r *http.Response) string {
	to, err := r.Location()
	if err != nil {
		return ""
	}
	return " to " + (&url.URL{Scheme: to.Scheme, Host: to.Host, Path: to.Path}).String()
}

// retryAfter reads the header: seconds, or an HTTP date. 0 = it says nothing of use.
func retryAfter(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if header == "" {
		return 0
	}
	if seconds, err := strconv.ParseUint(header, 10, 64); err == nil || errors.Is(err, strconv.ErrRange) {
		return min(maxRetryAfter, time.Duration(min(seconds, uint64(maxRetryAfter/time.Second)))*time.Second)
	}
	if date, err := http.ParseTime(header); err == nil {
		return max(0, min(maxRetryAfter, date.Sub(now)))
	}
	return 0
}
