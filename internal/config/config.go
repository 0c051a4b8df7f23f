// Package config finds the settings of the program: flag, then LLMCHECK_* variable, then config file, then default. It
// is the only user of viper, which reads flat settings of our own and nothing else: viper folds the case of keys and
// splits them at dots, which would change the ids of licenses.
package config

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"github.com/spf13/viper"
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

// Load reads the settings. The file is read if it is named, and else if it exists. Flags that were given win.
func Load(flags *pflag.FlagSet, file, standard string) (*Config, error) {
	v := viper.New()
	v.SetConfigType("yaml")
	v.SetEnvPrefix("LLMCHECK")
	v.AutomaticEnv()
	for key, value := range map[string]any{
		"format": "text", "fail_on": "prohibited,undetermined", "catalog": "", "use": "", "cache": "", "offline": false, "jobs": 4,
		"timeout": 5 * time.Minute, "color": "auto",
	} {
		v.SetDefault(key, value)
		if f := flags.Lookup(strings.ReplaceAll(key, "_", "-")); f != nil {
			if err := v.BindPFlag(key, f); err != nil {
				return nil, fmt.Errorf("binding flag --%s: %w", f.Name, err)
			}
		}
	}
	if err := read(v, file, standard); err != nil {
		return nil, err
	}
	var c Config
	if err := v.UnmarshalExact(&c); err != nil {
		return nil, fmt.Errorf("reading settings: %w", err)
	}
	return &c, c.validate()
}

func read(v *viper.Viper, file, standard string) error {
	name := file
	if name == "" {
		name = standard
	}
	if name == "" {
		return nil
	}
	v.SetConfigFile(name)
	err := v.ReadInConfig()
	if errors.Is(err, fs.ErrNotExist) && file == "" {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading settings from %s: %w", name, err)
	}
	return nil
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
