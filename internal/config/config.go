// Package config finds the settings of the program: flag, then LLMCHECK_* variable, then config file, then default. It
// is the only user of viper, which gets flat settings of our own and nothing else: viper folds the case of keys and
// splits them at dots, which would change the ids of licenses. The file itself is decoded strictly before viper sees it,
// so that what is no setting is an error with its line.
package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"

	"github.com/llmcheck/llmcheck/internal/records"
)

// Config is every setting there is. A flag of the same name (dashes for underscores) overrides it where a command has
// one.
type Config struct {
	Format  string        `mapstructure:"format"`
	FailOn  string        `mapstructure:"fail_on"`
	Catalog string        `mapstructure:"catalog"` // folder with records of the company
	Use     string        `mapstructure:"use"`     // file with company facts
	Cache   string        `mapstructure:"cache"`   // folder; "none" keeps nothing
	Offline bool          `mapstructure:"offline"`
	Jobs    int           `mapstructure:"jobs"`
	Timeout time.Duration `mapstructure:"timeout"` // for one model with its base models
	Color   string        `mapstructure:"color"`   // auto, always, never
}

// Default is what holds where nobody says otherwise.
func Default() Config {
	return Config{Format: "text", FailOn: "prohibited,undetermined", Jobs: 4, Timeout: 5 * time.Minute, Color: "auto"}
}

// Load reads the settings. The file is read if it is named, and else the standard one if it exists. Flags that were given
// win.
func Load(flags *pflag.FlagSet, file, standard string) (*Config, error) {
	v := viper.New()
	v.SetEnvPrefix("LLMCHECK")
	v.AutomaticEnv()
	d := Default()
	for key, value := range map[string]any{
		"format": d.Format, "fail_on": d.FailOn, "catalog": d.Catalog, "use": d.Use, "cache": d.Cache, "offline": d.Offline, "jobs": d.Jobs,
		"timeout": d.Timeout, "color": d.Color,
	} {
		v.SetDefault(key, value)
		if f := flags.Lookup(strings.ReplaceAll(key, "_", "-")); f != nil {
			if err := v.BindPFlag(key, f); err != nil {
				return nil, fmt.Errorf("binding flag --%s: %w", f.Name, err)
			}
		}
	}
	given, err := read(file, standard)
	if err != nil {
		return nil, err
	}
	if err := v.MergeConfigMap(given); err != nil {
		return nil, fmt.Errorf("reading settings: %w", err)
	}
	var c Config
	if err := v.UnmarshalExact(&c); err != nil {
		return nil, fmt.Errorf("reading settings: %w", oneLine(err))
	}
	return &c, c.validate()
}

// oneLine takes the heading and the blank lines out of the errors of viper, whose only cause here is a variable: flags
// and the file are typed.
func oneLine(err error) error {
	_, list, found := strings.Cut(err.Error(), "\n\n")
	if !found {
		return err
	}
	return errors.New("of the variables LLMCHECK_*, " + strings.ReplaceAll(strings.TrimSpace(list), "\n", "; "))
}

// settings is the file, typed. A nil field is not in it.
type settings struct {
	Format  *string `yaml:"format"`
	FailOn  *string `yaml:"fail_on"`
	Catalog *string `yaml:"catalog"`
	Use     *string `yaml:"use"`
	Cache   *string `yaml:"cache"`
	Offline *bool   `yaml:"offline"`
	Jobs    *int    `yaml:"jobs"`
	Timeout *string `yaml:"timeout"`
	Color   *string `yaml:"color"`
}

func (s *settings) given() map[string]any {
	m := make(map[string]any)
	put(m, "format", s.Format)
	put(m, "fail_on", s.FailOn)
	put(m, "catalog", s.Catalog)
	put(m, "use", s.Use)
	put(m, "cache", s.Cache)
	put(m, "offline", s.Offline)
	put(m, "jobs", s.Jobs)
	put(m, "timeout", s.Timeout)
	put(m, "color", s.Color)
	return m
}

func put[T any](m map[string]any, key string, v *T) {
	if v != nil {
		m[key] = *v
	}
}

// read reads the file. One with nothing but comments is one without settings.
func read(file, standard string) (map[string]any, error) {
	name := file
	if name == "" {
		name = standard
	}
	if name == "" {
		return nil, nil
	}
	data, err := readSmall(name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && file == "":
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("reading settings: %w", err)
	}
	if keys, err := records.Keys(name, data); err == nil && len(keys) == 0 {
		return nil, nil
	}
	var s settings
	if err := records.Decode(name, data, &s); err != nil {
		return nil, err
	}
	if s.Timeout != nil {
		if _, err := time.ParseDuration(*s.Timeout); err != nil {
			return nil, fmt.Errorf("%s: timeout: %q is not a time like 5m", name, *s.Timeout)
		}
	}
	return s.given(), nil
}

func (c *Config) validate() error {
	switch {
	case c.Jobs < 1 || c.Jobs > 64:
		return fmt.Errorf("setting jobs: %d is not between 1 and 64", c.Jobs)
	case c.Timeout <= 0:
		return fmt.Errorf("setting timeout: %s is not above zero", c.Timeout)
	case c.Color != "auto" && c.Color != "always" && c.Color != "never":
		return fmt.Errorf("setting color: %q is not one of auto, always, never", c.Color)
	}
	return nil
}

// maxFile bounds what is read of a file with settings.
const maxFile = 1 << 20

func readSmall(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile))
	return data, errors.Join(err, f.Close())
}
