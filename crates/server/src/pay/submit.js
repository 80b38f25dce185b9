// Posts the form that leads to the channel's cashier.
"use strict";
document.getElementById("next").submit();
