package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// maxInput bounds an input file of the user, which is written by hand.
const maxInput = 16 << 20

// read reads a file of the user, or the standard input for "-".
func (a *App) read(name string) ([]byte, error) {
	in := a.In
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	data, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	if err == nil && len(data) > maxInput {
		err = fmt.Errorf("%s is longer than %d bytes", name, maxInput)
	}
	return data, err
}

// write sends an answer to Out or to a named file. A regular file is written whole or not at all; a device or a pipe is
// written to as it is, for replacing it would take it away from everybody.
func (a *App) write(name string, data []byte) error {
	if name == "" || name == "-" {
		_, err := a.Out.Write(data)
		return err
	}
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = replace(name, data, 0o644)
	case err != nil:
	case info.Mode().IsRegular():
		err = replace(name, data, info.Mode().Perm())
	default:
		err = os.WriteFile(name, data, 0o644) // creates nothing: it is there
	}
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission):
		return usage(fmt.Errorf("writing %s: %w", name, err), "name a file in a folder that exists and may be written to")
	case err != nil:
		return fmt.Errorf("writing %s: %w", name, err)
	}
	return nil
}

// replace writes a file beside the one that is wanted and gives it its name at the end. Of a link, what it leads to is
// replaced.
func replace(name string, data []byte, mode fs.FileMode) error {
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	tmp, err := os.CreateTemp(filepath.Dir(name), ".llmcheck-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if _, err := tmp.Write(data); err != nil {
		tmp.Close()
		return err
	}
	return errors.Join(tmp.Chmod(mode), tmp.Close(), os.Rename(tmp.Name(), name))
}
