package main

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/philoxenia/philoxenia/client/notify"
)

// A setting is one thing that flags, environment and file may set.
type setting struct {
	key      string
	env      string
	fallback string
	help     string
	check    func(string) error
}

// knownSettings is the table of settings: the one list that the file, the
// environment, `config view` and the man page are made from.
var knownSettings = []setting{
	{"service", "WORKSPACE_SERVICE", "http://127.0.0.1:8080/wsrf/services/",
		"URL of the service: its base, or its factory", checkURL},
	{"output", "WORKSPACE_OUTPUT", "table",
		"form of the output: " + strings.Join(outputForms, ", "), oneOf(outputForms...)},
	{"timeout", "WORKSPACE_TIMEOUT", "10m",
		"how long to wait for a state at most", checkSpanText},
	{"color", "WORKSPACE_COLOR", "auto", "colour: auto, always, never",
		oneOf("auto", "always", "never")},
	{"via", "WORKSPACE_VIA", "auto",
		"way on which notifications come: pull, from a pull point at the service, which works " +
			"from behind NAT and firewalls; listener, to an open port here; poll, not at all, " +
			"the state is asked for again and again; auto, the first of these that can be had",
		oneOf(viaWords()...)},
	{"listen", "WORKSPACE_LISTEN", "auto",
		"HOST:PORT that a listener listens on; auto: a free port of the address that the " +
			"service sees; off: no listener", checkListen},
	{"advertise", "WORKSPACE_ADVERTISE", "",
		"HOST or HOST:PORT to tell the service when it differs from the address listened on",
		nil},
	{"poll", "WORKSPACE_POLL", "2s", "how often to ask when notifications do not come",
		checkSpanText},
}

// A sourced is a value and where it came from.
type sourced struct {
	text   string
	origin string
}

// settings are the values in force, by key.
type settings map[string]sourced

// text returns the value of a key.
func (s settings) text(key string) string { return s[key].text }

// span returns the value of a key that checkSpanText has passed.
func (s settings) span(key string) time.Duration {
	d, err := parseSpan(s[key].text)
	if err != nil {
		return 0
	}
	return d
}

// configPath returns where the configuration file is looked for.
func configPath() string {
	if path := os.Getenv("WORKSPACE_CONFIG"); path != "" {
		return path
	}
	if dir := os.Getenv("XDG_CONFIG_HOME"); dir != "" {
		return filepath.Join(dir, "workspace", "config.toml")
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	return filepath.Join(home, ".config", "workspace", "config.toml")
}

// loadSettings resolves every setting: flag before environment before file
// before default. flags holds what was given on the command line, by key.
func loadSettings(flags map[string]string, profile string) (settings, error) {
	file, err := readConfig(configPath())
	if err != nil {
		return nil, err
	}
	values, err := file.values(profile)
	if err != nil {
		return nil, err
	}
	all := settings{}
	for _, s := range knownSettings {
		v := s.resolve(flags, values)
		if s.check != nil {
			if err := s.check(v.text); err != nil {
				return nil, usagef("", "cannot use the setting %q of %s: %w", s.key, v.origin, err)
			}
		}
		all[s.key] = v
	}
	return all, nil
}

// resolve picks the value with the highest rank.
func (s setting) resolve(flags map[string]string, file map[string]sourced) sourced {
	if text := flags[s.key]; text != "" {
		return sourced{text, "flag --" + s.key}
	}
	if text := os.Getenv(s.env); text != "" {
		return sourced{text, "environment " + s.env}
	}
	if v, ok := file[s.key]; ok {
		return v
	}
	return sourced{s.fallback, "default"}
}

// A configFile is the file as read; the zero value stands for no file.
type configFile struct {
	path     string
	profile  string
	common   map[string]string
	profiles map[string]map[string]string
}

// readConfig reads the configuration file strictly: an unknown key is an
// error that names the nearest known one. No file is no error, unless
// WORKSPACE_CONFIG names it.
func readConfig(path string) (*configFile, error) {
	f := &configFile{path: path, common: map[string]string{}}
	f.profiles = map[string]map[string]string{}
	data, err := os.ReadFile(path)
	if named := os.Getenv("WORKSPACE_CONFIG") != ""; path == "" || os.IsNotExist(err) && !named {
		return f, nil
	}
	if err != nil {
		return nil, usagef("", "cannot read the configuration %s: %w", path, bare(err))
	}
	var raw map[string]any
	if err := toml.Unmarshal(data, &raw); err != nil {
		return nil, usagef("", "cannot read the configuration %s: %w", path, err)
	}
	if err := f.take(raw); err != nil {
		return nil, usagef("", "cannot read the configuration %s: %w", path, err)
	}
	return f, nil
}

// take sorts the keys of the file into the common ones and the profiles.
func (f *configFile) take(raw map[string]any) error {
	if err := takeStrings(&f.profile, raw, "profile"); err != nil {
		return err
	}
	profiles, ok := raw["profiles"].(map[string]any)
	if raw["profiles"] != nil && !ok {
		return fmt.Errorf("profiles is not a table")
	}
	delete(raw, "profiles")
	for name, v := range profiles {
		table, ok := v.(map[string]any)
		if !ok {
			return fmt.Errorf("profiles.%s is not a table", name)
		}
		f.profiles[name] = map[string]string{}
		if err := takeSettings(f.profiles[name], table, "profiles."+name+"."); err != nil {
			return err
		}
	}
	return takeSettings(f.common, raw, "")
}

// takeSettings moves known keys of one table into place and refuses others.
func takeSettings(into map[string]string, table map[string]any, prefix string) error {
	for key := range table {
		if !slices.Contains(settingKeys(), key) {
			return fmt.Errorf("unknown key %q, the nearest known one is %q",
				prefix+key, nearest(key, append(settingKeys(), "profile", "profiles")))
		}
		var text string
		if err := takeStrings(&text, table, key); err != nil {
			return fmt.Errorf("%s%w", prefix, err)
		}
		into[key] = text
	}
	return nil
}

// takeStrings moves one value, which must be a string, out of the table.
func takeStrings(into *string, table map[string]any, key string) error {
	v, present := table[key]
	if !present {
		return nil
	}
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("%s is not a string", key)
	}
	*into = text
	delete(table, key)
	return nil
}

// values returns what the file sets under the profile, with origins. The
// profile is the named one, else WORKSPACE_PROFILE's, else the file's own.
func (f *configFile) values(profile string) (map[string]sourced, error) {
	values := map[string]sourced{}
	for key, text := range f.common {
		values[key] = sourced{text, "file " + f.path}
	}
	for _, name := range []string{os.Getenv("WORKSPACE_PROFILE"), f.profile} {
		if profile == "" {
			profile = name
		}
	}
	if profile == "" {
		return values, nil
	}
	chosen, ok := f.profiles[profile]
	if !ok {
		return nil, usagef(f.profileHint(), "cannot use the profile %q: %s has no such profile",
			profile, f.path)
	}
	for key, text := range chosen {
		values[key] = sourced{text, "file " + f.path + ", profile " + profile}
	}
	return values, nil
}

// profileHint lists the profiles there are.
func (f *configFile) profileHint() string {
	if len(f.profiles) == 0 {
		return "write a [profiles.NAME] table into it"
	}
	var names []string
	for name := range f.profiles {
		names = append(names, name)
	}
	slices.Sort(names)
	return "it has: " + strings.Join(names, ", ")
}

// settingKeys returns the keys of the table of settings.
func settingKeys() []string {
	var keys []string
	for _, s := range knownSettings {
		keys = append(keys, s.key)
	}
	return keys
}

// nearest returns the word with the smallest edit distance.
func nearest(word string, known []string) string {
	return slices.MinFunc(known, func(a, b string) int {
		return distance(word, a) - distance(word, b)
	})
}

// distance is the number of letters to insert, delete or replace (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		corner := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := corner
			if a[i-1] != b[j-1] {
				cost++
			}
			corner = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}

// checkURL accepts an absolute http or https URL.
func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return fmt.Errorf("%q is not an http or https URL", clip(text))
	}
	return nil
}

// checkSpanText accepts what parseSpan reads.
func checkSpanText(text string) error {
	_, err := parseSpan(text)
	return err
}

// checkListen accepts HOST:PORT, auto or off.
func checkListen(text string) error {
	if text == "off" || text == "auto" {
		return nil
	}
	if _, _, err := net.SplitHostPort(text); err != nil {
		return fmt.Errorf("%q is none of HOST:PORT, auto and off", clip(text))
	}
	return nil
}

// viaWords are the ways on which notifications can come.
func viaWords() []string {
	var words []string
	for _, way := range notify.Ways {
		words = append(words, string(way))
	}
	return words
}

// oneOf accepts one of the words.
func oneOf(words ...string) func(string) error {
	return func(text string) error {
		if !slices.Contains(words, text) {
			return fmt.Errorf("%q is not one of %s", clip(text), strings.Join(words, ", "))
		}
		return nil
	}
}
