package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/llmcheck/llmcheck/internal/bench"
	measured "github.com/llmcheck/llmcheck/internal/bench/catalog"
	"github.com/llmcheck/llmcheck/internal/evidence"
	"github.com/llmcheck/llmcheck/internal/printable"
)

// keep writes the record into the folder of --catalog, and returns where.
func (o *calibrateOptions) keep(digest string, f *bench.File, all []bench.Measurement) (string, error) {
	if len(all) == 0 {
		return "", &statusError{Code: NotEnough, Err: fmt.Errorf("learning from %s: none of its figures can be computed", o.file), Hint: "--dry-run shows why, figure by figure"}
	}
	name := o.recordName(digest[:8])
	day := f.Date
	if day.IsZero() {
		day = evidence.DateOf(o.app.Now())
	}
	text, err := measured.Encode(name, measured.NewRecord(o.title(), "sha256:"+digest, day, all))
	if err != nil {
		return "", err
	}
	return o.place(name, digest, text)
}

// recordName is the name of the file in letters that every system takes.
func (o *calibrateOptions) recordName(digest string) string {
	name := base(o.file)
	name = strings.TrimSuffix(name, filepath.Ext(name))
	if o.name != "" {
		name = o.name
	}
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	s := strings.TrimSuffix(b.String()[:min(b.Len(), 80)], "-")
	switch {
	case s == "":
		return "run-" + digest
	case device.MatchString(s):
		return "run-" + s
	}
	return s
}

// device matches the names that are devices of Windows, whatever stands behind the dot.
var device = regexp.MustCompile(`^(con|prn|aux|nul|com[0-9]|lpt[0-9])$`)

// title is the name of the file as people know it.
func (o *calibrateOptions) title() string {
	if o.file == "-" {
		return "standard input"
	}
	return printable.Line(base(o.file))
}

// base is the last part of a path, of Windows too.
func base(path string) string { return path[strings.LastIndexAny(path, `/\`)+1:] }

// place writes a record where none is yet. The same results under two names would count twice.
func (o *calibrateOptions) place(name, digest string, text []byte) (string, error) {
	folder := filepath.Join(o.config.Catalog, measurementFolder)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", usage(fmt.Errorf("making the folder of measurements: %w", err), "")
	}
	to := filepath.Join(folder, name+".yaml")
	if other, err := holds(folder, digest); err != nil || other != "" && other != to {
		return "", usage(cmp.Or(err, fmt.Errorf("these results are kept already, in %s", other)), "remove that record first, if these are to take its place")
	}
	if old, err := os.ReadFile(to); err == nil && !bytes.Equal(old, text) {
		return "", usage(fmt.Errorf("%s is there already, with other measurements", to), "give another --name, or remove it")
	}
	return to, o.app.write(to, text)
}

// holds finds the record in a folder that was made of results with a digest, "" if there is none.
func holds(folder, digest string) (string, error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return "", err
	}
	for _, name := range names {
		if old, err := os.ReadFile(name); err != nil || bytes.Contains(old, []byte("sha256:"+digest)) {
			return name, err
		}
	}
	return "", nil
}

// loose refuses a folder whose licenses lie in it without a folder of their own: beside measurements they would be found
// in none.
func loose(dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	found, err := recordFolders(os.DirFS(dir))
	if err != nil {
		return usage(fmt.Errorf("opening %s, the folder of --catalog: %w", dir, err), "name a folder; one that is not there is made")
	}
	yaml, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(found) != 1 || found[0].path != "." || len(yaml) == 0 {
		return err
	}
	return usage(fmt.Errorf("%s holds records beside which no folder of measurements can lie", dir), "move them into "+filepath.Join(dir, licenseFolder))
}
