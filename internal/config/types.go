package config

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Duration is a span of time as people write it in TOML: "30s", "1.5h", "2d", or a bare number of
// seconds, fractions kept. Negative values are refused.
type Duration time.Duration

// Std returns d as a time.Duration.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// String prints the duration as people write it: "3m", "1h30m", "1.5s".
func (d Duration) String() string {
	text := time.Duration(d).String()
	for _, none := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, none) {
			text = text[:len(text)-len("0s")]
		}
	}
	return text
}

// ParseDuration reads a Go duration, a number of days ("2d", "1.5d12h") or a bare number of seconds.
func ParseDuration(s string) (Duration, error) {
	text := strings.TrimSpace(s)
	if seconds, err := strconv.ParseFloat(text, 64); err == nil {
		return secondsToDuration(seconds)
	}
	rest, days := text, 0.0
	if i := strings.IndexByte(text, 'd'); i > 0 {
		n, err := strconv.ParseFloat(text[:i], 64)
		if err != nil {
			return 0, badDuration(s)
		}
		days, rest = n, text[i+1:]
	}
	var tail time.Duration
	if rest != "" || days == 0 {
		var err error
		if tail, err = time.ParseDuration(rest); err != nil {
			return 0, badDuration(s)
		}
	}
	total, err := secondsToDuration(days * 24 * 3600)
	if err != nil || tail < 0 || time.Duration(total) > math.MaxInt64-tail {
		return 0, badDuration(s)
	}
	return total + Duration(tail), nil
}

func secondsToDuration(seconds float64) (Duration, error) {
	if math.IsNaN(seconds) || seconds < 0 || seconds >= math.MaxInt64/float64(time.Second) {
		return 0, fmt.Errorf("duration %v is out of range: it must be at least 0 and less than 292 years", seconds)
	}
	return Duration(seconds * float64(time.Second)), nil
}

func badDuration(s string) error {
	return fmt.Errorf(`%q is not a duration: write "30s", "5m", "1.5h", "2d", or a number of seconds`, s)
}

// Size is a number of bytes: 1048576, "64KiB", "1MiB", "2GB".
type Size int64

var sizeUnits = []struct {
	suffix string
	factor float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30},
	{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {"B", 1},
}

// ParseSize reads a number of bytes with an optional unit, in any case.
func ParseSize(s string) (Size, error) {
	number, factor := strings.TrimSpace(s), 1.0
	for _, u := range sizeUnits {
		if n := len(number) - len(u.suffix); n > 0 && strings.EqualFold(number[n:], u.suffix) {
			number, factor = strings.TrimSpace(number[:n]), u.factor
			break
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || n < 0 || n*factor >= math.MaxInt64 || math.IsNaN(n) {
		return 0, fmt.Errorf(`%q is not a size: write a number of bytes, "64KiB" or "1MiB"`, s)
	}
	return Size(n * factor), nil
}

// Secret is a password, token or key. It prints as "***" wherever it might end up; Reveal gives the
// text. In TOML, "@/path/to/file" reads the secret from that file, without its last newline.
type Secret string

// Reveal returns the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "***"
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides the secret from encoders.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// readSecret resolves "@/path".
func readSecret(text string) (Secret, error) {
	path, isFile := strings.CutPrefix(text, "@/")
	if !isFile {
		return Secret(text), nil
	}
	data, err := readRegular("/"+path, maxSecret)
	if err != nil {
		return "", fmt.Errorf("cannot read the secret in /%s: %w", path, err)
	}
	return Secret(strings.TrimRight(string(data), "\r\n")), nil
}

// Strings is several texts, or a single one, which needs no brackets.
type Strings []string

// UnmarshalJSON takes a string or a list of them, as TOML may be written.
func (s *Strings) UnmarshalJSON(text []byte) error {
	var one string
	if json.Unmarshal(text, &one) == nil {
		*s = Strings{one}
		return nil
	}
	return json.Unmarshal(text, (*[]string)(s))
}

// Command is one command: a string that is split as a shell would, or an argv array taken as it is.
// Exactly one of the two is set.
type Command struct {
	Line string
	Argv []string
}
