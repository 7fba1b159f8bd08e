package migrate

import (
	"errors"
	"io/fs"
	"slices"
	"strings"

	"catpaw/internal/config"
	"catpaw/pipeline"
)

// dimensions are what filecheck judges, if it has a severity.
var dimensions = []string{"existence", "checksum", "mtime"}

// filecheck: changes, checksums and existence are filechange's; a directory in which nothing changes any more is mtime's.
func filecheck(t *translator, instance *config.Node, part string, made map[string]any) (done []string, wanted bool) {
	done = []string{"targets", "mtime.mode", "mtime.time_span"}
	stale := slices.Equal(texts(instance.Get("mtime").Get("mode")), []string{"stale"})
	var on []string
	for _, what := range dimensions {
		n := instance.Get(what)
		severity := strings.Join(texts(n.Get("severity")), "")
		if n != nil && severity == "" {
			t.note(n, "%s has no severity: it is off in the original, and is left out", what)
		}
		if mine := (part == "mtime") == (what == "mtime" && stale); severity == "" || !mine {
			done = append(done, what+".severity", what+".max_file_size")
			continue
		}
		on = append(on, what)
	}
	if len(on) == 0 {
		return done, false
	}
	targets := texts(instance.Get("targets"))
	made["check"] = "filecheck::" + t.worstOf(instance, on)
	put(made, "labels.target", strings.Join(targets, ","))
	if span := instance.Get("mtime").Get("time_span"); span != nil && slices.Contains(on, "mtime") {
		made["time_span"] = plain(span)
	}
	if part == "mtime" {
		return done, t.stale(instance, targets, made)
	}
	t.changes(instance, targets, on, made)
	return done, true
}

// worstOf is the one of the highest severity: it names the check.
func (t *translator) worstOf(instance *config.Node, on []string) string {
	return slices.MaxFunc(on, func(a, b string) int { return int(severityOf(instance, a)) - int(severityOf(instance, b)) })
}

func severityOf(instance *config.Node, what string) pipeline.Status {
	severity, _ := pipeline.ParseSeverity(strings.Join(texts(instance.Get(what).Get("severity")), "")) // told where it is translated
	return severity
}

// changes makes a check of filechange.
func (t *translator) changes(instance *config.Node, targets, on []string, made map[string]any) {
	var paths []any
	for _, target := range targets {
		if slices.Equal(on, []string{"existence"}) { // nobody asked for what is in it
			paths = append(paths, target)
			continue
		}
		paths = append(paths, t.below(instance, target)...)
	}
	made["filepaths"] = paths
	if slices.Contains(on, "checksum") {
		made["checksum"] = true
	}
	if len(on) < len(dimensions) {
		t.note(instance, "filechange tells of every change, of a missing file, and with checksum of its content; there is no way to ask for one of these alone")
	}
}

// below are the paths for a target: of a directory, all files below it.
func (t *translator) below(instance *config.Node, target string) []any {
	trimmed := strings.TrimSuffix(target, "/")
	isDir, err := t.isDir(target)
	switch {
	case isGlob(target) && !isDir: // it may find directories, too
		return []any{target, trimmed + "/**"}
	case isDir:
		return []any{trimmed + "/**"}
	case err != nil:
		t.note(instance, "%q cannot be looked at here, and is watched as a file: if it is a directory, write %q", target, trimmed+"/**")
	}
	return []any{target}
}

// isDir: a slash at the end says so; else the file system of this machine does, which need not be where it is watched.
func (t *translator) isDir(target string) (bool, error) {
	if strings.HasSuffix(target, "/") {
		return true, nil
	}
	info, err := t.stat(target)
	if err != nil {
		return false, err
	}
	return info.IsDir(), nil
}

func isGlob(target string) bool { return strings.ContainsAny(target, "*?[") }

// stale makes a check of mtime. It reports whether there is anything to look at.
func (t *translator) stale(instance *config.Node, targets []string, made map[string]any) bool {
	var directories []any
	for _, target := range targets {
		switch isDir, err := t.isDir(target); {
		case isDir:
			directories = append(directories, target)
		case errors.Is(err, fs.ErrNotExist) && !isGlob(target):
			t.note(instance, "mtime looks at directories, and %q is not here: it is left out; if it is a directory where it is watched, add it", target)
		default:
			t.note(instance, "mtime looks at directories: %q is left out; write directories = [...], and exclude what does not count", target)
		}
	}
	made["directories"], made["alert_if"] = directories, "stale"
	if len(directories) == 0 {
		return false
	}
	t.note(instance, "the original tells when any file is older than time_span, mtime when none is younger, or there is none: a single old file among new ones is not told")
	return true
}
