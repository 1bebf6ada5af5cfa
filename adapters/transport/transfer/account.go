package transfer

import (
	"encoding/json"
	"errors"
	"io"
	"os"
)

// accountBytes is the most that an account may have.
const accountBytes = 16 << 20

// SaveAccount writes the account of a half-made transfer beside it, in one stroke.
func SaveAccount(path string, account any) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	if err := errors.Join(WriteAccount(f, account), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path+".new"))
	}
	return os.Rename(path+".new", path)
}

// LoadAccount reads an account. One that is missing or torn is none: false.
func LoadAccount(path string, account any) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return ReadAccount(f, account)
}

// WriteAccount writes an account to an empty file.
func WriteAccount(w io.Writer, account any) error {
	text, err := json.Marshal(account)
	if err == nil {
		_, err = w.Write(text)
	}
	return err
}

// ReadAccount reads an account; false: it is torn.
func ReadAccount(r io.Reader, account any) bool {
	text, err := io.ReadAll(io.LimitReader(r, accountBytes))
	return err == nil && json.Unmarshal(text, account) == nil
}
