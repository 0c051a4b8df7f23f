package identify

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// moduleLicense returns the license file of a module that this one depends on, its copyright lines cut off.
func moduleLicense(t *testing.T, module, begin string) string {
	t.Helper()
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil || len(strings.TrimSpace(string(dir))) == 0 {
		t.Skipf("module %s is not in the cache: %v", module, err)
	}
	b, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "LICENSE"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(b), begin)
	if !ok {
		t.Fatalf("license of %s does not have %q", module, begin)
	}
	return begin + rest
}

func best(t *testing.T, text string) Match {
	t.Helper()
	r := index(t).Identify([]byte(text))
	m, _ := r.Best()
	return m
}

func read(t *testing.T, text string) string {
	t.Helper()
	m := best(t, text)
	return m.ID + " " + string(m.Relation)
}

// TestBeside puts words beside an intact license that do not change its terms.
func TestBeside(t *testing.T) {
	text := "Copyright 2024 Foo Bar\n\n" + own(t)
	for _, c := range []struct{ name, before, after string }{
		{"leads to it", "That code is under the following license:", ""},
		{"names the next one loosely", "Foo is free software. It is released under the terms of the following Apache license.", ""},
		{"unless specified", "Everything in here is Apache-2.0 licensed unless otherwise specified.", ""},
		{"as follows", "Foo is licensed for use as follows:", ""},
		{"other files have other texts", "Except where otherwise noted (see the beginning of each file), all documentation is licensed as follows:", ""},
		{"same license", "Contains Bar under the same license with this copyright:", ""},
		{"label", "Package: foobar", ""},
		{"subject before the copyright", "foo is Copyright 2020 Foo Bar", ""},
		{"file it is for", "internal/parser/table_gen.go", ""},
		{"files it is for", "src/foo/a.c\nsrc/foo/b.c and src/foo/c.h", ""},
		{"contributors hold copyright", "All contributions by Foo Institute:\nCopyright 2020 Foo Institute\n\nAll other contributions:\n" +
			"Copyright 2021 the respective contributors\n\nEach contributor holds copyright over their respective contributions.\n" +
			"The project versioning (Git) records all such contribution source information.", ""},
		{"made by many", "", "This software consists of voluntary contributions made by many individuals."},
		{"vendored", "", "For all third party components incorporated into Foo, those components are licensed under the original license " +
			"provided by the owner of the component."},
		{"maintained elsewhere", "", "This license applies to all code in Foo that is not an externally maintained library. Externally " +
			"maintained libraries have their own licenses, included in the licenses directory."},
		{"dependencies", "", "This code has the following dependencies above the standard library:\nBar"},
		{"trademark", "", "Foo is a registered trademark of Foo Bar Inc. in the United States and other countries."},
		{"modeled after", "", "Parts of the driver were modeled after the source code in example.org/x/tools."},
		{"font name", "", "with Reserved Font Name Foo Code."},
		{"views", "", "The views and conclusions contained in the software and documentation are those of the authors and should not be " +
			"interpreted as representing official policies, either expressed or implied, of Foo Bar."},
	} {
		t.Run(c.name, func(t *testing.T) {
			whole := strings.TrimSpace(c.before + "\n\n" + text + "\n\n" + c.after)
			if got := read(t, whole); got != "apache-2.0 equivalent" {
				m := best(t, whole)
				t.Errorf("got %s; differences %+v", got, m.Differences)
			}
		})
	}
}

// TestHarmBeside puts words that restrict beside an intact license, in the clothes of those that do not.
func TestHarmBeside(t *testing.T) {
	text := own(t)
	for _, words := range []string{
		"Third-party components may not be used in products that are sold.",
		"All third-party code is licensed for evaluation.",
		"Third-party libraries have their own licenses, and you need one from us, too.",
		"The model weights are third-party material with their own license.",
		"External libraries and the data have their own licenses; the data must not be shared.",
		"This license does not apply to the model weights, which have their own license.",
		"This license does not apply to companies with external libraries.",
		"The following license applies to hobby projects of private persons.",
		"This software is licensed under the following license for personal use.",
		"Licensed under the following license; commercial use needs another one.",
		"All content under ee/ is licensed under the license defined in ee/LICENSE.",
		"All files in pro/ are proprietary.",
		"pro/ is not free.",
		"Files in src/pro may not be copied.",
		"Except as documented below, no rights are granted.",
		"Foo is free software for students.",
		"Foo is free software unless your revenue exceeds one million.",
		"Foo is a trademark of Bar and must be displayed.",
		"Each contributor holds copyright and may revoke it.",
		"All contributions by users become the property of Foo.",
		"By contributing you agree that your rights end.",
		"If a contributor wants to further mark a copy, a fee is due.",
		"The views and conclusions contained in the software must not be published.",
		"You may use this software under the following license only outside of Europe.",
		"Dual license: the other one is for companies.",
		"Edition: evaluation",
		"Package: noncommercial",
		"License for Education",
		"license for hobbyists",
		"Foo is licensed for use as follows: at home.",
		"With regard to companies, a license has to be bought.",
		"Parts of this license do not hold for code copied from Foo.",
		"Generated output is not covered; automatically generated code must be paid for.",
		"Both licenses must be bought.",
		"Foo v2 is licensed under the Foo 2.1 Community License.",
		"Modified versions of the package belong to Foo.",
		"We take back code from Foo.",
	} {
		for _, place := range []struct{ name, text string }{
			{"above", words + "\n\n" + text},
			{"above, copyright", "Copyright 2024 Foo Bar\n\n" + words + "\n\n" + text},
			{"below", text + "\n\n" + words + "\n"},
		} {
			if got := read(t, place.text); got != "apache-2.0 modified" {
				t.Errorf("%s: %q: got %s", place.name, words, got)
			}
		}
	}
}

// TestEndorsers changes whose names the BSD license keeps out of advertising, and what is not a name.
func TestEndorsers(t *testing.T) {
	body := moduleLicense(t, "github.com/google/go-cmp", "Redistribution and use")
	const names = "Neither the name of Google Inc. nor the names of its\ncontributors"
	if !strings.Contains(body, names) {
		t.Fatal("the license reads otherwise than this test thinks")
	}
	for _, c := range []struct{ name, names, want string }{
		{"words that restrict elsewhere", "Neither the name of Foo API nor the names of its contributors", "equivalent"},
		{"list", "Neither the names of Foo, Bar Technologies, Baz Laboratories and the Foo Research Institute nor the names of its contributors", "equivalent"},
		{"any contributors", "Neither the name of Foo nor the names of any contributors", "equivalent"},
		{"any other contributors", "Neither the name of Foo nor the names of any other contributors", "equivalent"},
		{"authors and contributors", "Neither the name of Foo nor the names of its authors and contributors", "equivalent"},
		{"small letters", "Neither the name of the commercial api nor the names of its contributors", "modified"},
		{"paying contributors", "Neither the name of Foo nor the names of paying contributors", "modified"},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := "Copyright 2024 Foo\n\n" + strings.Replace(body, names, c.names, 1)
			if got := read(t, text); got != "bsd-3-clause "+c.want {
				m := best(t, text)
				t.Errorf("got %s; differences %+v", got, m.Differences)
			}
		})
	}
}

// TestFuller adds a sentence where another license has one: the license of which no word is missing is the answer.
func TestFuller(t *testing.T) {
	body := moduleLicense(t, "github.com/spf13/cast", "Permission is hereby granted")
	const end = "THE SOFTWARE IS PROVIDED"
	text := strings.Replace(body, end, "The Software shall be used with services of Foo, not with others.\n\n"+end, 1)
	if got := read(t, "Copyright 2024 Foo\n\n"+text); got != "mit modified" {
		t.Errorf("got %s", got)
	}
}

// TestAppendix fills in the instructions for use of a license.
func TestAppendix(t *testing.T) {
	text := own(t)
	for _, c := range []struct{ name, copyright, want string }{
		{"name and purpose", "F2 Process manager for Foo\n   Copyright (C) 2013-2016 Foo Bar", "equivalent"},
		{"limited company", "Copyright (c) 2015-2018 Foo Bar Services Limited.", "equivalent"},
		{"holder with an address", "Copyright (C) 1999, 2001 Free Foo Foundation, Inc., <http://foo.example.org/>", "equivalent"},
		{"restriction", "Copyright 2024 Foo\n   Only for use at home", "modified"},
	} {
		t.Run(c.name, func(t *testing.T) {
			at := strings.LastIndex(text, "Copyright")
			line, _, _ := strings.Cut(text[at:], "\n")
			if got := read(t, strings.Replace(text, line, c.copyright, 1)); got != "apache-2.0 "+c.want {
				t.Errorf("got %s", got)
			}
		})
	}
}

// TestOtherTitle puts the name of another license between the title of one and its terms.
func TestOtherTitle(t *testing.T) {
	body := moduleLicense(t, "github.com/spf13/cast", "Permission is hereby granted")
	for _, title := range []string{
		"Creative Commons Attribution-NonCommercial 4.0 International Public License",
		"GNU General Public License v3", "Mozilla Public License Version 2.0",
	} {
		text := "MIT License\n\n" + title + "\n\nCopyright (c) 2024 Foo Bar\n\n" + body
		if got := read(t, text); got != "mit modified" {
			t.Errorf("%s: got %s", title, got)
		}
	}
}

// TestNoticeOfAnother puts the notice of a license that the file does not hold beside the text of one.
func TestNoticeOfAnother(t *testing.T) {
	body := moduleLicense(t, "github.com/spf13/cast", "Permission is hereby granted")
	text := own(t)
	notice := text[strings.LastIndex(text, "Licensed under the Apache"):]
	if got := read(t, "Copyright (c) 2024 Foo Bar\n\n"+body+"\n\n"+notice); got != "mit modified" {
		t.Errorf("notice of another license: got %s", got)
	}
	if got := read(t, text+"\n\nCopyright 2020 Foo Bar\n\n"+notice); got != "apache-2.0 equivalent" {
		t.Errorf("notice of the same license: got %s", got)
	}
}

func TestFileName(t *testing.T) {
	for name, want := range map[string]bool{
		"internal/foo/bar.go": true, "packages/six.py": true, "LICENSE.APACHE": true, "include/win/*.h": true, "a/b.c": true, "(src/foo/)": true,
		"and/or": false, "2.0": false, "3.1": false, "License.”": false, "v2.1": false, "end.": false, "jquery-1.6.2.min.js": true, "and/or,": false, "6.": false, "e.g.": false, "License": false, "https://example.org/a.html": false, "foo@example.org": false,
	} {
		if got := fileName([]byte(name)); got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}
