package filename_test

import (
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/filename"
)

func TestCheck(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"plain", "model-00001-of-00003.safetensors", ""},
		{"in a folder", "onnx/model.onnx", ""},
		{"hidden", ".gitattributes", ""},
		{"two dots inside", "v1..2.json", ""},
		{"letters of the world", "模型/größe.gguf", ""},
		{"blank inside", "USE POLICY.md", ""},
		{"begins like a device", "console.json", ""},
		{"ten is no port", "com10.json", ""},
		{"no port", "com.json", ""},
		{"empty", "", "is empty"},
		{"long", strings.Repeat("a/", 600) + "a", "is longer than 1024 bytes"},
		{"long element", strings.Repeat("a", 256), "contains an element longer than 255 bytes"},
		{"not UTF-8", "a\xff", "is not valid UTF-8"},
		{"NUL", "a\x00.safetensors", "contains the control character 0x00"},
		{"newline", "a\nb", "contains the control character 0x0a"},
		{"escape", "a\x1b[2J", "contains the control character 0x1b"},
		{"C1", "a\u009b", "contains the control character 0x9b"},
		{"parent", "../x", `contains the element ".."`},
		{"parent inside", "a/../../x", `contains the element ".."`},
		{"parent at the end", "a/..", `contains the element ".."`},
		{"dot", "./x", `contains the element "."`},
		{"absolute", "/etc/passwd", "is absolute"},
		{"share", "//server/share/x", "begins like a network share"},
		{"Windows share", `\\server\share`, "contains a backslash, which Windows takes for a separator"},
		{"backslash", `..\x`, "contains a backslash, which Windows takes for a separator"},
		{"drive", "C:/x", "contains a colon, which Windows takes for a drive or a stream"},
		{"drive without a slash", "c:x", "contains a colon, which Windows takes for a drive or a stream"},
		{"stream", "x.json:ads", "contains a colon, which Windows takes for a drive or a stream"},
		{"wildcard", "*.json", `contains '*', which Windows does not allow`},
		{"two slashes", "a//b", "contains an empty element: two slashes in a row, or one at the end"},
		{"slash at the end", "a/", "contains an empty element: two slashes in a row, or one at the end"},
		{"dot at the end", "a./b", "contains an element that ends in a dot or a blank, which Windows drops"},
		{"three dots", ".../b", "contains an element that ends in a dot or a blank, which Windows drops"},
		{"blank at the end", "a ", "contains an element that ends in a dot or a blank, which Windows drops"},
		{"device", "NUL", `contains the element "NUL", which is a device on Windows`},
		{"device with extension", "a/con.json", `contains the element "con.json", which is a device on Windows`},
		{"device with blanks", "aux .tar.gz", `contains the element "aux .tar.gz", which is a device on Windows`},
		{"port", "lpt1.txt", `contains the element "lpt1.txt", which is a device on Windows`},
		{"port in superscript", "COM¹", `contains the element "COM¹", which is a device on Windows`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			if err := filename.Check(c.file); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("Check(%q)\ngot  %s\nwant %s", c.file, got, c.want)
			}
		})
	}
}

// An accepted name is its own clean form and stays inside of any folder.
func FuzzCheck(f *testing.F) {
	for _, s := range []string{"a", "a/b", "../a", "/a", `a\b`, "c:a", "nul", "a/./b", "a\x00", "COM1.x", "..."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if filename.Check(name) != nil {
			return
		}
		if path.Clean(name) != name || !filepath.IsLocal(name) || path.IsAbs(name) {
			t.Errorf("%q was accepted", name)
		}
		if joined := path.Join("root", name); !strings.HasPrefix(joined, "root/") {
			t.Errorf("%q leads to %q", name, joined)
		}
		for element := range strings.SplitSeq(name, "/") {
			if filename.Check(element) != nil {
				t.Errorf("%q was accepted with the element %q", name, element)
			}
		}
	})
}
