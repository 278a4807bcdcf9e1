<?php
$body = fopen('php://input', 'rb');
$length = 0;
while (($piece = fread($body, 65536)) !== '' && $piece !== false) {
    $length += strlen($piece);
}
header('Content-Type: text/plain; charset=utf-8');
echo "$length\n";
