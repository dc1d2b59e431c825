"""Excel on Windows, Mac and the web by Office.js: functions, server project, stored names."""
