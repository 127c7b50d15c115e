#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# What the monitoring plugins' own classes make of it.
#
#   plugin.pl alerts VALUE RANGE…     yes, no or bad for each range, one a line
#   plugin.pl perfdata <OUTPUT        label, value, unit, warning, critical, min, max of
#                                     each datum in the first line, between bars
#
# Exit 77: libmonitoring-plugin-perl is missing.
use strict;
use warnings;

eval { require Monitoring::Plugin; require Monitoring::Plugin::Performance; 1 } or exit 77;

sub alerts {
	my ($value, @ranges) = @_;
	for my $text (@ranges) {
		my $range = Monitoring::Plugin::Range->parse_range_string($text);
		print !defined $range ? "bad" : $range->check_range($value) ? "yes" : "no", "\n";
	}
}

# A field that is a range or a number, as text.
sub text {
	my ($field) = @_;
	return defined $field ? "$field" : "";
}

sub perfdata {
	my $line = <STDIN>;
	$line =~ /^[A-Z]+ [A-Z]+ - [^|]*\| (.*)$/ or die "no perfdata: $line";
	my $string = $1;
	my @data = Monitoring::Plugin::Performance->parse_perfstring($string);
	@data or die "nothing was parsed of: $string\n";
	for my $datum (@data) {
		my $threshold = $datum->threshold;
		print join("|", $datum->label, text($datum->value), text($datum->uom),
			text($threshold->warning->is_set ? $threshold->warning : undef),
			text($threshold->critical->is_set ? $threshold->critical : undef),
			text($datum->min), text($datum->max)), "\n";
	}
}

my %does = (alerts => \&alerts, perfdata => \&perfdata);
my $what = shift @ARGV;
$does{$what}->(@ARGV);
