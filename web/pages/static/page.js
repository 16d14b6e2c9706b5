// The script of every page.
import { initConnection } from "./connection.js";
import { initThemeSwitch } from "./theme-switch.js";
import { initTimes } from "./time.js";
import { initToasts } from "./toast.js";

initConnection();
initThemeSwitch();
initTimes();
initToasts();
