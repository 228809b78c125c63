"""Results as text: tables, JSON, Markdown, JUnit XML, and small pictures of characters. One file per kind of result."""
