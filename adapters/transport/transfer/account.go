package transfer

import (
	"encoding/json"
	"os"
)

// SaveAccount writes the account of a half-made transfer beside it, in one stroke.
func SaveAccount(path string, account any) error {
	text, err := json.Marshal(account)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// LoadAccount reads an account. One that is missing or torn is none: false.
func LoadAccount(path string, account any) bool {
	text, err := os.ReadFile(path)
	return err == nil && json.Unmarshal(text, account) == nil
}
