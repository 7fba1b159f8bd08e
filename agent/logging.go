package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"

	"catpaw/internal/config"
)

// LogOptions is [log].
type LogOptions struct {
	// `debug`, `info`, `warn`, `error`, `fatal`
	Level string `toml:"level"`
	// `stderr`, `stdout`, or a file to append to; `stdout` counts only where no output writes events there
	Output string `toml:"output"`
	// `text` or `json`
	Format string `toml:"format"`
}

func defaultLogOptions() LogOptions {
	return LogOptions{Level: "info", Output: "stderr", Format: "text"}
}

func (o LogOptions) check() error {
	levels := []string{"debug", "info", "warn", "error", "fatal"} // zap knows more, for programmers
	if !slices.Contains(levels, o.Level) {
		return config.Field("level", "%q is not one of %s%s", o.Level, strings.Join(levels, ", "), config.DidYouMean(o.Level, levels))
	}
	if o.Format != "text" && o.Format != "json" {
		return config.Field("format", "%q is not one of text, json", o.Format)
	}
	if o.Output != "" && o.Output != "stderr" && o.Output != "stdout" {
		if info, err := os.Stat(filepath.Dir(o.Output)); err != nil || !info.IsDir() {
			return config.Field("output", "there is no directory %s for the log", filepath.Dir(o.Output))
		}
	}
	return nil
}

// open makes the logger. Where events go to standard output the log does not, so that both stay readable.
func (o LogOptions) open(level zap.AtomicLevel, eventsOnStdout bool) (*zap.Logger, error) {
	var file *os.File
	switch {
	case o.Output == "" || o.Output == "stderr" || (o.Output == "stdout" && eventsOnStdout):
		file = os.Stderr
	case o.Output == "stdout":
		file = os.Stdout
	default:
		var err error
		if file, err = os.OpenFile(o.Output, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o640); err != nil {
			return nil, fmt.Errorf("[log] output: %w", err)
		}
	}
	encoding := zap.NewProductionEncoderConfig()
	encoding.EncodeTime = zapcore.ISO8601TimeEncoder
	encoding.EncodeDuration = zapcore.StringDurationEncoder
	encoder := zapcore.NewJSONEncoder(encoding)
	if o.Format == "text" {
		encoding.ConsoleSeparator = " "
		encoding.EncodeLevel = zapcore.CapitalLevelEncoder
		if term.IsTerminal(int(file.Fd())) && os.Getenv("NO_COLOR") == "" {
			encoding.EncodeLevel = zapcore.CapitalColorLevelEncoder
		}
		encoder = zapcore.NewConsoleEncoder(encoding)
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(file), level)), nil
}
